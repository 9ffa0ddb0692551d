// Built from js/src by scripts/build-js: change it there.

// src/model.ts
async function hostModel(model) {
  return await model.widget_manager?.get_model?.(String(model.get("_host_id"))) ?? null;
}
function bytesOf(value) {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return new Uint8Array(0);
}

// src/hearing.ts
function initialize({ model }) {
  void listenAgain(model).catch((error) => console.warn("cnnviz: a widget may not hear the kernel", error));
}
async function listenAgain(model) {
  const host = await hostModel(model);
  const comm = host?.comm;
  if (!host || !comm || await hears(host)) return;
  const anywidgets = Object.getPrototypeOf(host);
  const original = Object.getPrototypeOf(anywidgets);
  comm.on_msg((message) => original._handle_comm_msg.call(host, message));
  model.send({ kind: "state" });
}
async function hears(host) {
  try {
    await host._handle_comm_msg({ content: { data: { method: "none" } } });
    return true;
  } catch {
    return false;
  }
}

// src/grid.ts
var Grid = class {
  constructor(shape2, available) {
    this.shape = shape2;
    const { count, tileWidth, gap, margin } = shape2;
    this.pitchX = tileWidth + gap;
    const fitting = Math.max(1, Math.floor((available - 2 * margin + gap) / this.pitchX));
    this.columns = Math.max(1, Math.min(shape2.columns > 0 ? shape2.columns : fitting, Math.max(1, count)));
    this.rows = Math.ceil(count / this.columns);
    this.tileHeight = Math.max(1, Math.round(tileWidth * shape2.aspect));
    this.pitchY = this.tileHeight + shape2.caption + gap;
    this.width = this.columns * this.pitchX - gap + 2 * margin;
    this.height = this.rows === 0 ? 0 : this.rows * this.pitchY - gap + 2 * margin;
  }
  shape;
  columns;
  rows;
  tileHeight;
  width;
  height;
  pitchX;
  pitchY;
  /** The picture of tile `index`, without its caption. */
  tile(index) {
    const { margin, tileWidth } = this.shape;
    return {
      x: margin + index % this.columns * this.pitchX,
      y: margin + Math.floor(index / this.columns) * this.pitchY,
      width: tileWidth,
      height: this.tileHeight
    };
  }
  /** Tile `index` with its caption. */
  cell(index) {
    const tile = this.tile(index);
    return { ...tile, height: tile.height + this.shape.caption };
  }
  /** The tile or caption at a point; null in a gap or outside. */
  at(x, y) {
    const { margin, tileWidth, caption, count } = this.shape;
    const column = Math.floor((x - margin) / this.pitchX);
    const row = Math.floor((y - margin) / this.pitchY);
    if (column < 0 || column >= this.columns || row < 0) return null;
    const beyond = x - margin - column * this.pitchX >= tileWidth;
    const below = y - margin - row * this.pitchY >= this.tileHeight + caption;
    const index = row * this.columns + column;
    return beyond || below || index >= count ? null : index;
  }
  /** Indices of the tiles that a rectangle touches. */
  touching(area) {
    const { margin, count } = this.shape;
    const first = (from, pitch) => Math.max(0, Math.floor((from - margin) / pitch));
    const firstColumn = first(area.x, this.pitchX);
    const lastColumn = Math.min(this.columns - 1, Math.floor((area.x + area.width - margin) / this.pitchX));
    const firstRow = first(area.y, this.pitchY);
    const lastRow = Math.min(this.rows - 1, Math.floor((area.y + area.height - margin) / this.pitchY));
    const indices = [];
    for (let row = firstRow; row <= lastRow; row++) {
      for (let column = firstColumn; column <= lastColumn; column++) {
        const index = row * this.columns + column;
        if (index < count) indices.push(index);
      }
    }
    return indices;
  }
  /** Where a key takes the cursor from `index`; `page` is the number of rows in sight. Null: not a key that moves. */
  moved(index, key, page) {
    const last = this.shape.count - 1;
    if (last < 0) return null;
    const within = (to) => to < 0 || to > last ? index : to;
    switch (key) {
      case "ArrowLeft":
        return Math.max(0, index - 1);
      case "ArrowRight":
        return Math.min(last, index + 1);
      case "ArrowUp":
        return within(index - this.columns);
      case "ArrowDown":
        return within(index + this.columns);
      case "PageUp":
        return Math.max(index % this.columns, index - page * this.columns);
      case "PageDown": {
        const rows = Math.min(page, Math.floor((last - index) / this.columns));
        return index + rows * this.columns;
      }
      case "Home":
        return 0;
      case "End":
        return last;
      default:
        return null;
    }
  }
};
function covers(outer, inner) {
  return outer.x <= inner.x && outer.y <= inner.y && outer.x + outer.width >= inner.x + inner.width && outer.y + outer.height >= inner.y + inner.height;
}
function band(view, content) {
  const stretch = (from, length, whole) => {
    const start = Math.max(0, Math.floor(from - length));
    return [start, Math.max(0, Math.min(whole, Math.ceil(from + 2 * length)) - start)];
  };
  const [x, width] = stretch(view.x, view.width, content.width);
  const [y, height] = stretch(view.y, view.height, content.height);
  return { x, y, width, height };
}
function paintTile(sheet, index, pixels, channels, table, out) {
  let from = index * pixels * channels;
  for (let to = 0; to < pixels * 4; to += 4) {
    if (channels === 1) {
      const row = 3 * (sheet[from] ?? 0);
      out[to] = table[row] ?? 0;
      out[to + 1] = table[row + 1] ?? 0;
      out[to + 2] = table[row + 2] ?? 0;
    } else {
      out[to] = sheet[from] ?? 0;
      out[to + 1] = sheet[from + 1] ?? 0;
      out[to + 2] = sheet[from + 2] ?? 0;
    }
    out[to + 3] = 255;
    from += channels;
  }
}

// src/held.ts
var Held = class {
  constructor(current, same = Object.is) {
    this.current = current;
    this.same = same;
  }
  current;
  same;
  gripped = false;
  unconfirmed = null;
  get value() {
    return this.current;
  }
  /** Whether the hand is on the control. */
  get inHand() {
    return this.gripped;
  }
  grip() {
    this.gripped = true;
  }
  letGo() {
    this.gripped = false;
  }
  /** The hand has moved to `value`. */
  move(value) {
    this.current = value;
  }
  /** An event left for the kernel; `seq` is the number it will acknowledge. */
  sent(seq) {
    if (typeof seq === "number") this.unconfirmed = seq;
  }
  /** The kernel says `value`; returns whether to show it. */
  offered(value) {
    if (this.same(value, this.current)) {
      this.unconfirmed = null;
      return false;
    }
    if (this.gripped || this.unconfirmed !== null) return false;
    this.current = value;
    return true;
  }
  /** A custom message came; with the acknowledgement of the newest event, take over the kernel's value `value`. */
  acknowledged(message, value) {
    const { kind, seq } = message ?? {};
    if (kind !== "ack" || seq !== this.unconfirmed) return false;
    this.unconfirmed = null;
    return this.offered(value);
  }
};

// ../cnnviz_widgets/static/colormaps.json
var colormaps_default = {
  viridis: { kind: "sequential", rgb: "44015444025645045745055946075a46085c460a5d460b5e470d60470e6147106347116447136548146748166848176948186a481a6c481b6d481c6e481d6f481f70482071482173482374482475482576482677482878482979472a7a472c7a472d7b472e7c472f7d46307e46327e46337f463480453581453781453882443983443a83443b84433d84433e85423f854240864241864142874144874045884046883f47883f48893e49893e4a893e4c8a3d4d8a3d4e8a3c4f8a3c508b3b518b3b528b3a538b3a548c39558c39568c38588c38598c375a8c375b8d365c8d365d8d355e8d355f8d34608d34618d33628d33638d32648e32658e31668e31678e31688e30698e306a8e2f6b8e2f6c8e2e6d8e2e6e8e2e6f8e2d708e2d718e2c718e2c728e2c738e2b748e2b758e2a768e2a778e2a788e29798e297a8e297b8e287c8e287d8e277e8e277f8e27808e26818e26828e26828e25838e25848e25858e24868e24878e23888e23898e238a8d228b8d228c8d228d8d218e8d218f8d21908d21918c20928c20928c20938c1f948c1f958b1f968b1f978b1f988b1f998a1f9a8a1e9b8a1e9c891e9d891f9e891f9f881fa0881fa1881fa1871fa28720a38620a48621a58521a68522a78522a88423a98324aa8325ab8225ac8226ad8127ad8128ae8029af7f2ab07f2cb17e2db27d2eb37c2fb47c31b57b32b67a34b67935b77937b87838b9773aba763bbb753dbc743fbc7340bd7242be7144bf7046c06f48c16e4ac16d4cc26c4ec36b50c46a52c56954c56856c66758c7655ac8645cc8635ec96260ca6063cb5f65cb5e67cc5c69cd5b6ccd5a6ece5870cf5773d05675d05477d1537ad1517cd2507fd34e81d34d84d44b86d54989d5488bd6468ed64590d74393d74195d84098d83e9bd93c9dd93ba0da39a2da37a5db36a8db34aadc32addc30b0dd2fb2dd2db5de2bb8de29bade28bddf26c0df25c2df23c5e021c8e020cae11fcde11dd0e11cd2e21bd5e21ad8e219dae319dde318dfe318e2e418e5e419e7e419eae51aece51befe51cf1e51df4e61ef6e620f8e621fbe723fde725" },
  magma: { kind: "sequential", rgb: "00000401000501010601010802010902020b02020d03030f03031204041405041606051806051a07061c08071e0907200a08220b09240c09260d0a290e0b2b100b2d110c2f120d31130d34140e36150e38160f3b180f3d19103f1a10421c10441d11471e114920114b21114e22115024125325125527125829115a2a115c2c115f2d11612f116331116533106734106936106b38106c390f6e3b0f703d0f713f0f72400f74420f75440f764510774710784910784a10794c117a4e117b4f127b51127c52137c54137d56147d57157e59157e5a167e5c167f5d177f5f187f601880621980641a80651a80671b80681c816a1c816b1d816d1d816e1e81701f81721f817320817521817621817822817922827b23827c23827e24828025828125818326818426818627818827818928818b29818c29818e2a81902a81912b81932b80942c80962c80982d80992d809b2e7f9c2e7f9e2f7fa02f7fa1307ea3307ea5317ea6317da8327daa337dab337cad347cae347bb0357bb2357bb3367ab5367ab73779b83779ba3878bc3978bd3977bf3a77c03a76c23b75c43c75c53c74c73d73c83e73ca3e72cc3f71cd4071cf4070d0416fd2426fd3436ed5446dd6456cd8456cd9466bdb476adc4869de4968df4a68e04c67e24d66e34e65e44f64e55064e75263e85362e95462ea5661eb5760ec5860ed5a5fee5b5eef5d5ef05f5ef1605df2625df2645cf3655cf4675cf4695cf56b5cf66c5cf66e5cf7705cf7725cf8745cf8765cf9785df9795df97b5dfa7d5efa7f5efa815ffb835ffb8560fb8761fc8961fc8a62fc8c63fc8e64fc9065fd9266fd9467fd9668fd9869fd9a6afd9b6bfe9d6cfe9f6dfea16efea36ffea571fea772fea973feaa74feac76feae77feb078feb27afeb47bfeb67cfeb77efeb97ffebb81febd82febf84fec185fec287fec488fec68afec88cfeca8dfecc8ffecd90fecf92fed194fed395fed597fed799fed89afdda9cfddc9efddea0fde0a1fde2a3fde3a5fde5a7fde7a9fde9aafdebacfcecaefceeb0fcf0b2fcf2b4fcf4b6fcf6b8fcf7b9fcf9bbfcfbbdfcfdbf" },
  cividis: { kind: "sequential", rgb: "00224e00234f00245100255300255400265600275800285900285b00295d002a5f002a61002b62002c64002c66002d68002e6a002e6c002f6d00306f0030700031700031710132710533710833700c34700f357012357014367016377018376f1a386f1c396f1e3a6f203a6f213b6e233c6e243c6e263d6e273e6e293f6e2a3f6d2b406d2d416d2e416d2f426d31436d32436d33446d34456c35456c36466c38476c39486c3a486c3b496c3c4a6c3d4a6c3e4b6c3f4c6c404c6c414d6c424e6c434e6c444f6c45506c46516c47516c48526c49536c4a536c4b546c4c556c4d556c4e566c4f576c50576c51586d52596d535a6d545a6d555b6d555c6d565c6d575d6d585e6d595e6e5a5f6e5b606e5c616e5d616e5e626e5e636f5f636f60646f61656f62656f636670646770656870656870666970676a71686a71696b716a6c716b6d726c6d726c6e726d6f726e6f736f70737071737172747272747273747374757474757575757676767777767777777878777979777a7a787b7a787c7b787d7c787e7c787e7d787f7e78807f78817f788280798381798482798582798683798784788885788985788a86788b87788c88788d88788e89788f8a78908b78918b78928c78928d78938e78948e77958f779690779791779892779992779a93769b94769c95769d95769e96769f9775a09875a19975a29975a39a74a49b74a59c74a69c74a79d73a89e73a99f73aaa073aba072aca172ada272aea371afa471b0a571b1a570b3a670b4a76fb5a86fb6a96fb7a96eb8aa6eb9ab6dbaac6dbbad6dbcae6cbdae6cbeaf6bbfb06bc0b16ac1b26ac2b369c3b369c4b468c5b568c6b667c7b767c8b866c9b965cbb965ccba64cdbb63cebc63cfbd62d0be62d1bf61d2c060d3c05fd4c15fd5c25ed6c35dd7c45cd9c55cdac65bdbc75adcc859ddc858dec958dfca57e0cb56e1cc55e2cd54e4ce53e5cf52e6d051e7d150e8d24fe9d34eead34cebd44bedd54aeed649efd748f0d846f1d945f2da44f3db42f5dc41f6dd3ff7de3ef8df3cf9e03afbe138fce236fde334fee434fee535fee636fee838" },
  grey: { kind: "sequential", rgb: "0000000101010202020303030404040505050606060707070808080909090a0a0a0b0b0b0c0c0c0d0d0d0e0e0e0f0f0f1010101111111212121313131414141515151616161717171818181919191a1a1a1b1b1b1c1c1c1d1d1d1e1e1e1f1f1f2020202121212222222323232424242525252626262727272828282929292a2a2a2b2b2b2c2c2c2d2d2d2e2e2e2f2f2f3030303131313232323333333434343535353636363737373838383939393a3a3a3b3b3b3c3c3c3d3d3d3e3e3e3f3f3f4040404141414242424343434444444545454646464747474848484949494a4a4a4b4b4b4c4c4c4d4d4d4e4e4e4f4f4f5050505151515252525353535454545555555656565757575858585959595a5a5a5b5b5b5c5c5c5d5d5d5e5e5e5f5f5f6060606161616262626363636464646565656666666767676868686969696a6a6a6b6b6b6c6c6c6d6d6d6e6e6e6f6f6f7070707171717272727373737474747575757676767777777878787979797a7a7a7b7b7b7c7c7c7d7d7d7e7e7e7f7f7f8080808181818282828383838484848585858686868787878888888989898a8a8a8b8b8b8c8c8c8d8d8d8e8e8e8f8f8f9090909191919292929393939494949595959696969797979898989999999a9a9a9b9b9b9c9c9c9d9d9d9e9e9e9f9f9fa0a0a0a1a1a1a2a2a2a3a3a3a4a4a4a5a5a5a6a6a6a7a7a7a8a8a8a9a9a9aaaaaaabababacacacadadadaeaeaeafafafb0b0b0b1b1b1b2b2b2b3b3b3b4b4b4b5b5b5b6b6b6b7b7b7b8b8b8b9b9b9babababbbbbbbcbcbcbdbdbdbebebebfbfbfc0c0c0c1c1c1c2c2c2c3c3c3c4c4c4c5c5c5c6c6c6c7c7c7c8c8c8c9c9c9cacacacbcbcbcccccccdcdcdcecececfcfcfd0d0d0d1d1d1d2d2d2d3d3d3d4d4d4d5d5d5d6d6d6d7d7d7d8d8d8d9d9d9dadadadbdbdbdcdcdcdddddddedededfdfdfe0e0e0e1e1e1e2e2e2e3e3e3e4e4e4e5e5e5e6e6e6e7e7e7e8e8e8e9e9e9eaeaeaebebebecececedededeeeeeeefefeff0f0f0f1f1f1f2f2f2f3f3f3f4f4f4f5f5f5f6f6f6f7f7f7f8f8f8f9f9f9fafafafbfbfbfcfcfcfdfdfdfefefeffffff" },
  "blue-white-red": { kind: "diverging", rgb: "0250ae0451af0652b10853b20a55b30d56b50f57b61159b7135ab8155bba165cbb185ebc1a5fbd1c60bf1d61c01f63c12164c22265c32467c42668c52769c7296ac82b6cc92c6dca2e6ecb3070cc3171cd3372ce3474cf3675d03876d13978d23b79d33d7ad43e7bd5407dd6427ed6437fd74581d84782d94983da4a85db4c86db4e87dc4f89dd518ade538bdf558ddf568ee0588fe15a91e15c92e25d93e35f95e36196e46397e56599e5669ae6689be76a9de76c9ee86e9fe870a0e971a2e973a3ea75a4ea77a6eb79a7eb7ba8ec7daaec7fabed81aced82aeee84afee86b0ee88b2ef8ab3ef8cb4f08eb6f090b7f092b8f194b9f196bbf198bcf19abdf29cbff29ec0f2a0c1f3a2c3f3a4c4f3a6c5f3a8c6f3aac8f4acc9f4aecaf4b0ccf4b2cdf4b4cef4b6cff5b8d1f5bbd2f5bdd3f5bfd5f5c1d6f5c3d7f5c5d8f5c7daf5c9dbf5cbdcf5cddef5cfdff6d2e0f6d4e1f6d6e3f6d8e4f6dae5f6dce6f6dee8f6e1e9f6e3eaf5e5ecf5e7edf5e9eef5ebeff5edf1f5f0f2f5f2f3f5f4f4f5f5f4f4f5f2f2f5f0f0f5efeef5edecf5ebeaf5e9e8f5e7e6f5e5e4f5e4e2f5e2e0f5e0def5dedcf5dcdaf5dbd8f5d9d6f5d7d4f4d5d2f4d3d0f4d2cef4d0ccf4cecaf4ccc8f3cac6f3c9c4f3c7c2f3c5c0f2c3bef2c1bcf2c0baf2beb9f1bcb7f1bab5f1b8b3f0b7b1f0b5aff0b3adefb1abefafa9efaea8eeaca6eeaaa4eda8a2eda7a0eca59eeca39ceba19beba099ea9e97ea9c95e99a93e99992e89790e8958ee7938ce7928be69089e58e87e58c85e48b84e38982e38780e2857ee1847de1827be08079df7f78de7d76de7b74dd7973dc7871db766fda746eda736cd9716ad86f69d76e67d66c66d56a64d46962d36761d3655fd2645ed1625cd0605bcf5f59ce5d58cd5b56cc5a55cb5853ca5752c95550c8534fc7524dc6504cc44e4ac34d49c24b47c14a46c04845bf4643be4542bd4340bb413fba403eb93e3cb83d3bb73b3ab53938b43837b33636b23534b03333af3132ae3030ad2e2fab2c2eaa2b2da9292ba7282aa62629a52428a32226a22125a11f249f1d239e1b219c1a20" },
  "green-white-purple": { kind: "diverging", rgb: "00672c00692d036a2e066b30096c310c6d320f6f331170341471351672371873381a75391c763a1e773c20783d22793e247a3f267c41287d422a7e432b7f442d80462f824731834832844a34854b36864c38874e39894f3b8a503d8b523f8c53408d55428e5644905746915947925a49935c4b945d4d955e4e9760509861529963549a64559b66579c67599d695b9f6a5ca06c5ea16d60a26f62a37064a47265a57367a67569a8766ba9786daa7a6eab7b70ac7d72ad7e74ae8076af8177b18379b2857bb3867db4887fb58a81b68b83b78d84b88e86b99088ba928abc938cbd958ebe9790bf9891c09a93c19c95c29d97c39f99c4a19bc5a39dc6a49fc7a6a1c9a8a3caa9a5cbaba7ccada8cdafaaceb0accfb2aed0b4b0d1b6b2d2b8b4d3b9b6d4bbb8d5bdbad6bfbcd7c0bed8c2c0dac4c2dbc6c4dcc8c6ddc9c8decbcadfcdcce0cfcee1d1d0e2d3d2e3d4d4e4d6d6e5d8d8e6dadae7dcdce8dedee9dfe0eae1e2ebe3e4ece5e6ede7e8eee9eaefebecf0edeef1eef0f2f0f2f3f2f4f4f4f4f4f5f3f3f4f2f1f4f1eff3f0eef3efecf2eeebf1ede9f1ece7f0ebe6f0eae4efe9e3efe8e1eee7dfeee6deede5dcece4dbece3d9ebe2d7ebe1d6eae0d4e9dfd3e9ded1e8ddd0e8dccee7dbcce6dacbe6d9c9e5d8c8e5d7c6e4d6c5e3d4c3e3d3c1e2d2c0e1d1bee1d0bde0cfbbdfcebadfcdb8deccb7ddcbb5ddcab4dcc9b2dbc8b1dbc7afdac6add9c5acd8c4aad8c3a9d7c2a7d6c1a6d6c0a4d5bea3d4bda1d3bca0d3bb9ed2ba9dd1b99bd0b89acfb798cfb697ceb596cdb494ccb393cbb291cab190caaf8ec9ae8dc8ad8bc7ac8ac6ab88c5aa87c4a986c4a884c3a783c2a681c1a580c0a37ebfa27dbea17cbda07abc9f79bb9e77ba9d76b99c75b89b73b79a72b69871b5976fb4966eb3956cb2946bb1936ab09268af9167ae8f66ad8e64ac8d63ab8c62aa8b60a98a5fa8895ea7875ca6865ba5855aa48459a28357a18256a081559f7f539e7e529d7d519c7c509a7b4e997a4d98784c97774b96764a9475489374479273469171459070448e6f428d6e418c6d408b6c3f896a3e88" }
};

// src/colormaps.ts
var entries = Object.entries(colormaps_default);
function tableNames(kind) {
  return entries.filter(([, table]) => table.kind === kind).map(([name]) => name);
}
function colorTable(name, kind) {
  const candidates = entries.filter(([, table]) => table.kind === kind);
  const [, { rgb }] = candidates.find(([candidate]) => candidate === name) ?? candidates[0];
  return Uint8Array.from({ length: rgb.length / 2 }, (_, index) => Number.parseInt(rgb.slice(index * 2, index * 2 + 2), 16));
}

// src/tile_drawing.ts
var GAP = 8;
var MARGIN = 6;
var CAPTION = 18;
var MOST_ASKED = 1600;
function shape(view) {
  const [height, width] = view.get("tile_size");
  return {
    count: view.get("count"),
    columns: view.get("columns"),
    tileWidth: Math.max(8, view.get("tile_width")),
    aspect: width > 0 ? height / width : 1,
    caption: view.get("captions") && view.get("labels").length > 0 ? CAPTION : 0,
    gap: GAP,
    margin: MARGIN
  };
}
function rule(ruler, view) {
  const { count, columns, tileWidth } = shape(view);
  const wanted = Math.min(columns || count, Math.ceil(MOST_ASKED / tileWidth));
  ruler.style.padding = `0 ${MARGIN}px`;
  while (ruler.childElementCount > wanted) ruler.lastChild?.remove();
  while (ruler.childElementCount < wanted) ruler.append(document.createElement("span"));
  for (const blank of ruler.children) blank.style.width = `${tileWidth + GAP}px`;
}
function words(view, index) {
  return [view.get("labels")[index], view.get("badges")[index]].filter(Boolean).join(" · ");
}
function place(target, { x, y, width, height }) {
  target.style.cssText = `left:${x}px;top:${y}px;width:${width}px;height:${height}px`;
}
function clipped(area, content) {
  return {
    ...area,
    width: Math.max(0, Math.min(area.width, content.width - area.x)),
    height: Math.max(0, Math.min(area.height, content.height - area.y))
  };
}
function paint(view, grid, area, visible, canvas, scratch) {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(area.width * ratio));
  canvas.height = Math.max(1, Math.round(area.height * ratio));
  place(canvas, area);
  const [height, width] = view.get("tile_size");
  const channels = view.get("channels");
  const sheet = bytesOf(view.get("sheet"));
  const to = canvas.getContext("2d");
  const from = scratch.getContext("2d", { willReadFrequently: true });
  const size = height * width * channels;
  if (!to || !from || size <= 0) return;
  scratch.width = width;
  scratch.height = height;
  const pixels = new ImageData(width, height);
  const name = view.get("colormap");
  const table = colorTable(name, tableNames("diverging").includes(name) ? "diverging" : "sequential");
  to.imageSmoothingEnabled = !view.get("pixelated");
  to.imageSmoothingQuality = "high";
  for (const index of visible) {
    if ((index + 1) * size > sheet.length) break;
    paintTile(sheet, index, height * width, channels, table, pixels.data);
    from.putImageData(pixels, 0, 0);
    const tile = grid.tile(index);
    const left = Math.round((tile.x - area.x) * ratio);
    const top = Math.round((tile.y - area.y) * ratio);
    to.drawImage(scratch, left, top, Math.round(tile.width * ratio), Math.round(tile.height * ratio));
  }
}

// src/tiles.css
var tiles_default = '/* src/theme.css */\n.cnnviz {\n  --cnnviz-text: var(--vscode-foreground, var(--jp-ui-font-color1, #1f2328));\n  --cnnviz-text-quiet: var(--vscode-descriptionForeground, var(--jp-ui-font-color2, #59636e));\n  --cnnviz-surface: var(--vscode-editor-background, var(--jp-layout-color1, #fff));\n  --cnnviz-raised: var(--vscode-dropdown-background, var(--jp-layout-color1, #fff));\n  --cnnviz-sunken: var(--vscode-input-background, var(--jp-layout-color2, #f0f2f5));\n  --cnnviz-line: var(--vscode-input-border, var(--jp-border-color1, #b8bfc8));\n  --cnnviz-line-quiet: var(--vscode-widget-border, var(--jp-border-color2, #dde1e6));\n  --cnnviz-accent: var(--vscode-focusBorder, var(--jp-brand-color1, #1976d2));\n  --cnnviz-error: var(--vscode-errorForeground, var(--jp-error-color1, #c62828));\n  --cnnviz-hover: color-mix(in srgb, var(--cnnviz-accent) 12%, transparent);\n  --cnnviz-chosen: color-mix(in srgb, var(--cnnviz-accent) 24%, transparent);\n  --cnnviz-shadow: 0 4px 16px rgb(0 0 0 / 24%);\n  --cnnviz-font: var(--vscode-font-family, var(--jp-ui-font-family, system-ui, sans-serif));\n  --cnnviz-size: var(--jp-ui-font-size1, 13px);\n  --cnnviz-size-small: var(--jp-ui-font-size0, 11px);\n  --cnnviz-radius: 4px;\n  --cnnviz-height: 28px;\n  box-sizing: border-box;\n  min-width: 0;\n  color: var(--cnnviz-text);\n  font: var(--cnnviz-size) / 1.4 var(--cnnviz-font);\n}\n.cnnviz-ruled::before {\n  display: block;\n  width: var(--cnnviz-width, 220px);\n  height: 0;\n  content: "";\n}\n.cnnviz[data-waiting] {\n  cursor: progress;\n  opacity: 0.65;\n}\n.cnnviz-view :is(.cnnviz-status, .cnnviz-picture, .cnnviz-tiles, .bqplot, .widget-html) {\n  transition: opacity 0.15s;\n}\n[data-cnnviz-unanswered] .cnnviz-view :is(.cnnviz-status, .cnnviz-picture:not([data-waiting]), .cnnviz-tiles:not([data-waiting]), .bqplot, .widget-html) {\n  opacity: 0.55;\n}\n.cnnviz-picture[data-waiting] {\n  opacity: 1;\n}\n[data-cnnviz-ended]:not([data-cnnviz-ended] *) {\n  opacity: 0.55;\n}\n[data-cnnviz-ended] .cnnviz[data-waiting] {\n  cursor: auto;\n  opacity: 1;\n}\n[data-cnnviz-ended] :is(button, input, select, textarea, canvas, svg, [role=slider], [role=listbox]) {\n  pointer-events: none;\n}\n[data-cnnviz-ended].jupyter-widgets-disconnected::before,\n[data-cnnviz-ended] .jupyter-widgets-disconnected::before {\n  display: none;\n}\n.cnnviz-notice {\n  position: fixed;\n  bottom: 16px;\n  left: 50%;\n  z-index: 1000;\n  width: max-content;\n  max-width: calc(100% - 32px);\n  padding: 10px 16px;\n  color: var(--cnnviz-text);\n  background: var(--cnnviz-raised);\n  border: 1px solid var(--cnnviz-line);\n  border-left: 4px solid var(--cnnviz-accent);\n  border-radius: var(--cnnviz-radius);\n  box-shadow: var(--cnnviz-shadow);\n  font-weight: 600;\n  transform: translateX(-50%);\n}\n.cnnviz-notice[role=alert] {\n  border-left-color: var(--cnnviz-error);\n}\n.jp-NotebookPanel > .cnnviz-notice,\n.jp-Document > .cnnviz-notice {\n  position: absolute;\n}\n.cnnviz *,\n.cnnviz *::before,\n.cnnviz *::after {\n  box-sizing: border-box;\n}\n@supports (color: light-dark(#000, #fff)) {\n  .cnnviz {\n    --cnnviz-text: var(--vscode-foreground, var(--jp-ui-font-color1, light-dark(#1f2328, #e6e9ed)));\n    --cnnviz-text-quiet: var( --vscode-descriptionForeground, var(--jp-ui-font-color2, light-dark(#59636e, #9aa4af)) );\n    --cnnviz-surface: var(--vscode-editor-background, var(--jp-layout-color1, light-dark(#fff, #16191d)));\n    --cnnviz-raised: var(--vscode-dropdown-background, var(--jp-layout-color1, light-dark(#fff, #22272e)));\n    --cnnviz-sunken: var(--vscode-input-background, var(--jp-layout-color2, light-dark(#f0f2f5, #22272e)));\n    --cnnviz-line: var(--vscode-input-border, var(--jp-border-color1, light-dark(#b8bfc8, #4b545e)));\n    --cnnviz-line-quiet: var(--vscode-widget-border, var(--jp-border-color2, light-dark(#dde1e6, #343b43)));\n    --cnnviz-accent: var(--vscode-focusBorder, var(--jp-brand-color1, light-dark(#1976d2, #64b5f6)));\n    --cnnviz-error: var(--vscode-errorForeground, var(--jp-error-color1, light-dark(#c62828, #ff8a80)));\n  }\n}\n[data-jp-theme-light=true] .cnnviz,\n.vscode-light .cnnviz,\n[data-theme=light] .cnnviz {\n  color-scheme: light;\n}\n[data-jp-theme-light=false] .cnnviz,\n.vscode-dark .cnnviz,\n.vscode-high-contrast:not(.vscode-high-contrast-light) .cnnviz,\n.dark .cnnviz,\n.dark-theme .cnnviz,\nhtml[theme=dark] .cnnviz,\n[data-theme=dark] .cnnviz {\n  color-scheme: dark;\n}\n.cnnviz :focus-visible {\n  outline: 2px solid var(--cnnviz-accent);\n  outline-offset: 1px;\n}\n.cnnviz-hidden {\n  position: absolute;\n  width: 1px;\n  height: 1px;\n  overflow: hidden;\n  clip-path: inset(50%);\n  white-space: nowrap;\n}\n@media (pointer: coarse) {\n  .cnnviz {\n    --cnnviz-height: 40px;\n  }\n}\n.cnnviz-icon {\n  display: block;\n  width: 16px;\n  height: 16px;\n  fill: none;\n  stroke: currentcolor;\n  stroke-width: 1.5;\n  stroke-linecap: round;\n  stroke-linejoin: round;\n  pointer-events: none;\n}\n.cnnviz-icon-button {\n  display: grid;\n  flex: none;\n  width: var(--cnnviz-height);\n  height: var(--cnnviz-height);\n  padding: 0;\n  color: var(--cnnviz-text-quiet);\n  background: none;\n  border: 0;\n  border-radius: var(--cnnviz-radius);\n  cursor: pointer;\n  place-items: center;\n}\n.cnnviz-icon-button:hover:not(:disabled) {\n  color: var(--cnnviz-text);\n  background: var(--cnnviz-hover);\n}\n.cnnviz-icon-button:disabled {\n  cursor: default;\n  opacity: 0.4;\n}\n\n/* src/tiles.css */\n.cnnviz-tiles[data-waiting] {\n  opacity: 1;\n}\n.cnnviz-tiles-description {\n  padding: 0 6px;\n  overflow: hidden;\n  color: var(--cnnviz-text-quiet);\n  font-size: var(--cnnviz-size-small);\n  line-height: 18px;\n  text-overflow: ellipsis;\n  white-space: nowrap;\n}\n.cnnviz-tiles-scroll {\n  position: relative;\n  overflow: auto;\n  border-radius: var(--cnnviz-radius);\n  contain: inline-size;\n  overscroll-behavior-x: contain;\n  scrollbar-width: thin;\n}\n.cnnviz .cnnviz-tiles-scroll:focus-visible {\n  outline: none;\n  box-shadow: inset 0 0 0 1px var(--cnnviz-accent);\n}\n.cnnviz-tiles-content {\n  position: relative;\n  overflow: hidden;\n}\n.cnnviz-tiles-ruler {\n  height: 0;\n  overflow: hidden;\n  line-height: 0;\n}\n.cnnviz-tiles-ruler span {\n  display: inline-block;\n}\n.cnnviz-tiles-canvas {\n  position: absolute;\n  display: block;\n}\n.cnnviz-tiles-caption,\n.cnnviz-tiles-badge {\n  position: absolute;\n  overflow: hidden;\n  font-size: var(--cnnviz-size-small);\n  line-height: 16px;\n  text-align: center;\n  text-overflow: ellipsis;\n  white-space: nowrap;\n  pointer-events: none;\n}\n.cnnviz-tiles-caption {\n  color: var(--cnnviz-text-quiet);\n}\n.cnnviz-tiles-caption.cnnviz-tiles-current {\n  color: var(--cnnviz-text);\n  font-weight: 600;\n}\n.cnnviz-tiles-badge {\n  padding: 0 4px;\n  color: #fff;\n  font-variant-numeric: tabular-nums;\n  line-height: 14px;\n  background: rgb(0 0 0 / 66%);\n  border-radius: 3px;\n}\n.cnnviz-tiles-mark {\n  position: absolute;\n  border-radius: 2px;\n  pointer-events: none;\n}\n.cnnviz-tiles-hovered {\n  box-shadow: 0 0 0 1px #000, 0 0 0 2px #fff;\n}\n.cnnviz-tiles-selected {\n  box-shadow: 0 0 0 1px var(--cnnviz-surface), 0 0 0 4px var(--cnnviz-accent);\n}\n.cnnviz-tiles-cursor {\n  outline: 2px solid #fff;\n  outline-offset: -2px;\n  box-shadow: inset 0 0 0 3px #000;\n}\n.cnnviz-tiles-scroll:not(:focus-visible) .cnnviz-tiles-cursor {\n  display: none;\n}\n.cnnviz-tiles-mark[hidden] {\n  display: none;\n}\n.cnnviz-tiles-empty {\n  padding: 12px;\n  color: var(--cnnviz-text-quiet);\n  text-align: center;\n}\n';

// src/standing.ts
var STANDINGS = ["answers", "late", "reconnecting", "cut off", "absent", "ended"];
var GONE = /* @__PURE__ */ new Set(["dead", "terminating", "restarting", "autorestarting"]);
function standing({ live, lived, kernel, connection, overdue }) {
  if (live === false) return lived ? "ended" : "absent";
  if (kernel !== void 0 && GONE.has(kernel)) return "ended";
  if (connection === "disconnected") return "cut off";
  if (connection === "connecting") return "reconnecting";
  return overdue ? "late" : "answers";
}
function worst(standings) {
  let found = 0;
  for (const each of standings) found = Math.max(found, STANDINGS.indexOf(each));
  return STANDINGS[found];
}
var SENTENCES = {
  late: everywhere("The kernel has not answered yet: it is busy, or the connection is lost."),
  reconnecting: everywhere("The connection to the kernel is lost: trying to get it back."),
  "cut off": everywhere("The connection to the kernel is lost: reload the page."),
  absent: {
    page: "This page has no kernel: reload it to get one.",
    notebook: "The pale panels have no kernel: run their cells to use them.",
    elsewhere: "This page has no kernel: it shows what was computed before, and its controls do nothing."
  },
  ended: {
    page: "The kernel has ended: reload the page.",
    notebook: "The kernel of the pale panels has ended: run their cells again.",
    elsewhere: "The kernel has ended: run the notebook again."
  }
};
function notice(found, place2) {
  if (found === "answers") return null;
  const urgent = found === "ended" || found === "cut off";
  return { text: SENTENCES[found][place2], urgent, after: found === "late" ? 5e3 : 1e3 };
}
function everywhere(text) {
  return { page: text, notebook: text, elsewhere: text };
}

// src/notice.ts
var KEY = /* @__PURE__ */ Symbol.for("cnnviz.notice");
var UNANSWERED = /* @__PURE__ */ new Set(["late", "reconnecting", "cut off"]);
var NOTEBOOK = ".jp-NotebookPanel, .jp-Document";
var Notice = class {
  constructor(container, place2) {
    this.container = container;
    this.place = place2;
    this.line.className = "cnnviz cnnviz-notice";
  }
  container;
  place;
  line = document.createElement("div");
  reported = /* @__PURE__ */ new Map();
  shown = "answers";
  next = "answers";
  timer;
  report(id, standing2) {
    if (standing2 === null) this.reported.delete(id);
    else this.reported.set(id, standing2);
    const found = worst(this.reported.values());
    this.container.toggleAttribute("data-cnnviz-unanswered", UNANSWERED.has(found));
    if (found === this.next) return;
    this.next = found;
    clearTimeout(this.timer);
    const said = notice(found, this.place);
    if (said === null) this.hide();
    else if (found !== this.shown) this.timer = setTimeout(() => this.say(found, said), said.after);
  }
  say(standing2, { text, urgent }) {
    this.shown = standing2;
    this.line.setAttribute("role", urgent ? "alert" : "status");
    this.container.append(this.line);
    this.line.textContent = text;
  }
  hide() {
    this.shown = "answers";
    this.line.textContent = "";
    this.line.remove();
  }
};
function noticeOf(element2) {
  const notebook = element2.closest(NOTEBOOK);
  const container = notebook ?? document.body;
  return container[KEY] ??= new Notice(container, placeOf(notebook));
}
function placeOf(notebook) {
  if (notebook !== null) return "notebook";
  return document.getElementById("jupyter-config-data") === null ? "elsewhere" : "page";
}

// src/link.ts
var LOOK_EVERY = 1e3;
var PANEL = ".cnnviz-view";
var links = /* @__PURE__ */ new Set();
var looking;
var Link = class {
  constructor(model, root, id) {
    this.model = model;
    this.root = root;
    this.id = id;
    links.add(this);
    looking ??= setInterval(() => links.forEach((link) => link.look()), LOOK_EVERY);
    model.on("comm_live_update", this.look);
    const found = (host) => {
      this.host = host;
      this.look();
    };
    hostModel(model).then(found, () => {
    });
  }
  model;
  root;
  id;
  host = null;
  lived = false;
  failed = false;
  overdue = /* @__PURE__ */ new Set();
  current = "answers";
  notice = null;
  /** Send, if there is a kernel; what it cannot take is dropped, and the page says why. */
  send = (content, buffers) => {
    this.look();
    if (this.isOver && this.host !== null) {
      this.root.setAttribute("data-unsent", "");
      return this.mark();
    }
    try {
      this.model.send(content, void 0, buffers);
      this.failed = false;
    } catch (error) {
      this.failed = true;
      this.look();
      if (!this.isOver) throw error;
    }
  };
  /** Save what was set, if there is a kernel. */
  save = () => {
    if (!this.isOver) this.model.save_changes();
  };
  /** Whether nothing that is sent can reach a kernel any more. */
  get isOver() {
    return this.current === "ended" || this.current === "absent";
  }
  /** An answer to `channel` is overdue, or has come. */
  silence(channel, silent) {
    if (silent) this.overdue.add(channel);
    else this.overdue.delete(channel);
    this.look();
  }
  dispose() {
    this.model.off("comm_live_update", this.look);
    links.delete(this);
    if (links.size === 0) {
      clearInterval(looking);
      looking = void 0;
    }
    this.notice?.report(this.id, null);
  }
  look = () => {
    if (!links.has(this)) return;
    this.current = standing(this.circumstances());
    if (this.current === "answers") this.root.removeAttribute("data-unsent");
    if (!this.root.isConnected) return;
    this.notice ??= noticeOf(this.root);
    this.notice.report(this.id, this.current);
    this.mark();
  };
  circumstances() {
    const { host, model } = this;
    const kernel = model.widget_manager?.kernel;
    const disposed = host?.comm?.jsServicesComm?.isDisposed === true;
    const live = host === null ? void 0 : host.comm !== void 0 && host.comm_live !== false && !disposed;
    this.lived ||= live === true;
    return {
      live: host === null && this.failed ? false : live,
      lived: this.lived || this.failed,
      kernel: kernel?.status,
      connection: kernel?.connectionStatus,
      overdue: this.overdue.size > 0
    };
  }
  /** Make pale what no kernel stands behind: its panel, or the widget where it is in none. */
  mark() {
    const panel = this.root.closest(PANEL) ?? this.root;
    const inNotebook = this.root.closest(".jp-NotebookPanel") !== null;
    const dead = this.current === "ended" || this.current === "absent" && inNotebook;
    panel.toggleAttribute("data-cnnviz-ended", dead || this.isOver && this.root.hasAttribute("data-unsent"));
  }
};

// src/one_in_flight.ts
var browserClock = {
  set: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clear: (handle) => clearTimeout(handle)
};
var OneInFlight = class {
  /** `onSilence` hears when an answer is overdue (true), and when answers come again (false). */
  constructor(send, timeout = 1500, clock = browserClock, onSilence = () => {
  }) {
    this.send = send;
    this.timeout = timeout;
    this.clock = clock;
    this.onSilence = onSilence;
    this.sequence = Math.floor(Math.random() * 2 ** 48);
  }
  send;
  timeout;
  clock;
  onSilence;
  sequence = 0;
  inFlight = null;
  pending = null;
  timer = null;
  silent = false;
  /** Send an event now, or keep it as the newest one waiting. `final` marks the end of a gesture. */
  offer(payload, final = false, buffers) {
    this.pending = { payload, final, buffers };
    this.pump();
  }
  /** Feed every custom message of the kernel here; returns whether it was an acknowledgement. */
  receive(message) {
    if (typeof message !== "object" || message === null) return false;
    const { kind, seq } = message;
    if (kind !== "ack") return false;
    this.heard(false);
    if (seq === this.inFlight) this.release();
    return true;
  }
  get busy() {
    return this.inFlight !== null;
  }
  /** Stop; what a gesture ended with still leaves, whether or not an answer is due. */
  dispose() {
    if (this.pending?.final) this.dispatch(this.pending);
    this.pending = null;
    if (this.timer !== null) this.clock.clear(this.timer);
    this.timer = null;
    this.inFlight = null;
  }
  pump() {
    if (this.inFlight !== null || this.pending === null) return;
    const event = this.pending;
    this.pending = null;
    this.timer = this.clock.set(() => {
      this.heard(true);
      this.release();
    }, this.timeout);
    this.inFlight = this.sequence + 1;
    this.dispatch(event);
  }
  dispatch({ payload, final, buffers }) {
    this.send({ ...payload, kind: "event", seq: ++this.sequence, final }, buffers);
  }
  release() {
    if (this.timer !== null) this.clock.clear(this.timer);
    this.timer = null;
    this.inFlight = null;
    this.pump();
  }
  heard(silent) {
    if (silent === this.silent) return;
    this.silent = silent;
    this.onSilence(silent);
  }
};

// src/view.ts
var View = class {
  root;
  /** Unique in the page: two views of one model must not share element ids. */
  id = `cnnviz-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
  link;
  model;
  ending = new AbortController();
  endings = [];
  constructor({ model, el, signal }, name, css) {
    this.model = model;
    this.root = element("div", `cnnviz cnnviz-${name}`);
    const style = document.createElement("style");
    style.textContent = css;
    el.append(style, this.root);
    this.onDispose(() => {
      style.remove();
      this.root.remove();
    });
    this.link = new Link(model, this.root, this.id);
    this.onDispose(() => this.link.dispose());
    signal?.addEventListener("abort", () => this.dispose(), { once: true });
  }
  get(name) {
    return this.model.get(name);
  }
  /** Listen to `target` until the view ends. */
  listen(target, name, callback, options = {}) {
    target.addEventListener(name, callback, { ...options, signal: this.ending.signal });
  }
  /** Call `callback` now and whenever one of the traits changes. */
  follow(names, callback) {
    for (const name of names) this.on(`change:${name}`, callback);
    callback();
  }
  /** Call `callback` with each custom message. */
  hear(callback) {
    this.on("msg:custom", callback);
  }
  /**
   * A channel to the kernel with one message in flight; `sent` learns the number of each message that leaves, `busy`
   * whether an answer is overdue. While it is, the view says so: the kernel is busy, or gone.
   */
  channel(sent = () => {
  }, busy = () => {
  }) {
    const send = (message, buffers) => {
      sent(message["seq"]);
      this.link.send(message, buffers);
    };
    const silence = (silent) => {
      this.root.toggleAttribute("data-waiting", silent);
      this.link.silence(channel, silent);
      busy(silent);
    };
    const channel = new OneInFlight(send, void 0, void 0, silence);
    this.hear((message) => channel.receive(message));
    this.onDispose(() => channel.dispose());
    return channel;
  }
  onDispose(callback) {
    this.endings.push(callback);
  }
  dispose = () => {
    this.ending.abort();
    for (const end of this.endings.splice(0).reverse()) end();
  };
  on(event, callback) {
    this.model.on(event, callback);
    this.onDispose(() => this.model.off(event, callback));
  }
};
function element(name, className, attributes = {}) {
  const made = document.createElement(name);
  made.className = className;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// src/tiles.ts
var MODIFIERS = { shift: "shiftKey", ctrl: "ctrlKey", alt: "altKey", meta: "metaKey" };
function render(context) {
  const view = new View(context, "tiles", tiles_default);
  const description = element("div", "cnnviz-tiles-description");
  const scroll = element("div", "cnnviz-tiles-scroll", {
    role: "listbox",
    tabindex: "0",
    "data-lm-suppress-shortcuts": "true"
  });
  const content = element("div", "cnnviz-tiles-content", { role: "presentation" });
  const canvas = element("canvas", "cnnviz-tiles-canvas", { "aria-hidden": "true" });
  const captions = element("div", "", { "aria-hidden": "true" });
  const hover = element("div", "cnnviz-tiles-mark cnnviz-tiles-hovered");
  const chosen = element("div", "cnnviz-tiles-mark cnnviz-tiles-selected");
  const cursor = element("div", "cnnviz-tiles-mark cnnviz-tiles-cursor");
  const option = element("div", "cnnviz-hidden", { role: "option", id: `${view.id}-option` });
  const empty = element("div", "cnnviz-tiles-empty");
  const ruler = element("div", "cnnviz-tiles-ruler", { "aria-hidden": "true" });
  content.append(canvas, captions, hover, chosen, cursor, option);
  scroll.append(content);
  view.root.append(description, scroll, empty, ruler);
  const scratch = document.createElement("canvas");
  const selected = new Held(view.get("selected"));
  const picks = view.channel((seq) => selected.sent(seq));
  const hovers = view.channel();
  let grid = new Grid(shape(view), 0);
  let drawn = null;
  let hovered = null;
  let at = selected.value ?? 0;
  let laidFor = "";
  let pointer = null;
  const sight = () => ({
    x: scroll.scrollLeft,
    y: scroll.scrollTop,
    width: scroll.clientWidth,
    height: scroll.clientHeight
  });
  const draw = () => {
    const area = band(sight(), grid);
    drawn = area;
    const visible = grid.touching(area);
    paint(view, grid, area, visible, canvas, scratch);
    captions.replaceChildren(...visible.flatMap((index) => writing(index)));
  };
  const writing = (index) => {
    const made = [];
    const tile = grid.tile(index);
    const label = view.get("labels")[index];
    if (grid.shape.caption > 0 && label) {
      const caption = element("div", "cnnviz-tiles-caption");
      caption.classList.toggle("cnnviz-tiles-current", index === selected.value);
      caption.textContent = label;
      place(caption, { ...tile, y: tile.y + tile.height + 2, height: CAPTION - 2 });
      made.push(caption);
    }
    const badge = view.get("badges")[index];
    if (badge) {
      const pill = element("div", "cnnviz-tiles-badge");
      pill.textContent = badge;
      pill.style.cssText = `right:${grid.width - tile.x - tile.width + 2}px;top:${tile.y + 2}px;max-width:${tile.width - 4}px`;
      made.push(pill);
    }
    return made;
  };
  const mark = () => {
    const show = (element2, index) => {
      element2.hidden = index === null || index >= grid.shape.count;
      if (!element2.hidden) place(element2, grid.tile(index));
    };
    show(hover, hovered);
    show(chosen, selected.value);
    show(cursor, grid.shape.count > 0 ? at : null);
    scroll.style.cursor = hovered === null ? "" : "pointer";
    scroll.title = hovered === null ? "" : words(view, hovered);
    option.textContent = option.ariaLabel = words(view, at) || `Tile ${at + 1}`;
    option.ariaSelected = String(at === selected.value);
    option.setAttribute("aria-posinset", String(at + 1));
    option.setAttribute("aria-setsize", String(grid.shape.count));
    if (grid.shape.count > 0) scroll.setAttribute("aria-activedescendant", option.id);
    else scroll.removeAttribute("aria-activedescendant");
  };
  const drawIfNeeded = () => {
    if (!drawn || !covers(drawn, clipped(sight(), grid))) draw();
  };
  const room = () => `${view.root.clientWidth} ${devicePixelRatio}`;
  const lay = () => {
    laidFor = room();
    const none = view.get("count") === 0;
    rule(ruler, view);
    empty.textContent = view.get("placeholder");
    empty.hidden = !none || view.get("placeholder") === "";
    scroll.hidden = none;
    scroll.style.maxHeight = `${view.get("height")}px`;
    grid = new Grid(shape(view), scroll.clientWidth);
    content.style.width = `${grid.width}px`;
    content.style.height = `${grid.height}px`;
    if (scroll.clientWidth > 0 && view.get("columns") === 0) {
      grid = new Grid(shape(view), scroll.clientWidth);
      content.style.width = `${grid.width}px`;
      content.style.height = `${grid.height}px`;
    }
    at = Math.max(0, Math.min(at, grid.shape.count - 1));
    draw();
    mark();
  };
  const enter = (index) => {
    if (index === hovered) return;
    hovered = index;
    mark();
    hovers.offer({ name: "entered", index, revision: view.get("revision") }, index === null);
  };
  const pick = (index, event) => {
    const modifiers = Object.entries(MODIFIERS).flatMap(([name, key]) => event[key] ? [name] : []);
    at = index;
    select(index);
    picks.offer({ name: "picked", index, revision: view.get("revision"), modifiers }, true);
  };
  const select = (index) => {
    selected.move(index);
    captions.replaceChildren(...(drawn ? grid.touching(drawn) : []).flatMap((tile) => writing(tile)));
    mark();
  };
  const under = (event) => {
    const box = content.getBoundingClientRect();
    return grid.at(event.clientX - box.left, event.clientY - box.top);
  };
  const reveal = (index) => {
    const cell = grid.cell(index);
    const area = sight();
    const into = (from, length, start, size) => from - MARGIN < start ? from - MARGIN : from + length + MARGIN > start + size ? from + length + MARGIN - size : start;
    scroll.scrollTo(into(cell.x, cell.width, area.x, area.width), into(cell.y, cell.height, area.y, area.height));
  };
  view.listen(scroll, "scroll", () => {
    drawIfNeeded();
    if (pointer) enter(under({ clientX: pointer.x, clientY: pointer.y }));
  });
  view.listen(scroll, "pointermove", (event) => {
    if (event.pointerType === "touch") return;
    pointer = { x: event.clientX, y: event.clientY };
    enter(under(event));
  });
  view.listen(scroll, "pointerleave", () => {
    pointer = null;
    enter(null);
  });
  view.listen(scroll, "click", (event) => {
    const index = under(event);
    if (index !== null) pick(index, event);
  });
  view.listen(scroll, "keydown", (event) => {
    if (grid.shape.count === 0) return;
    if (event.key === "Enter" || event.key === " ") pick(at, event);
    else {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const rows = Math.max(1, Math.floor(scroll.clientHeight / grid.cell(0).height));
      const to = grid.moved(at, event.key, rows);
      if (to === null) return;
      at = to;
      pointer = null;
      reveal(at);
      enter(at);
      mark();
    }
    event.preventDefault();
    event.stopPropagation();
  });
  view.listen(scroll, "blur", () => {
    if (pointer === null) enter(null);
  });
  view.hear((message) => {
    if (selected.acknowledged(message, view.get("selected"))) select(selected.value);
  });
  view.follow(["selected"], () => {
    if (selected.offered(view.get("selected"))) select(selected.value);
    if (selected.value !== null && document.activeElement !== scroll) at = selected.value;
  });
  view.follow(["description"], () => {
    description.textContent = description.title = view.get("description");
    description.hidden = view.get("description") === "";
    scroll.ariaLabel = view.get("description") || "Pictures";
  });
  let laying = 0;
  const layLater = () => {
    laying ||= requestAnimationFrame(() => {
      laying = 0;
      lay();
    });
  };
  view.onDispose(() => cancelAnimationFrame(laying));
  view.follow(["sheet", "revision"], () => {
    hovered = null;
    layLater();
  });
  const laid = ["tile_size", "channels", "count", "colormap", "labels", "badges", "columns", "tile_width", "height"];
  view.follow([...laid, "pixelated", "captions", "placeholder"], layLater);
  const layIfResized = () => {
    if (room() !== laidFor) layLater();
  };
  const sizes = new ResizeObserver(layIfResized);
  sizes.observe(view.root);
  view.onDispose(() => sizes.disconnect());
  view.listen(window, "resize", layIfResized);
  return view.dispose;
}
var tiles_default2 = { initialize, render };
export {
  tiles_default2 as default
};

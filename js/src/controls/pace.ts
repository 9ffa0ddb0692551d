// Tells the kernel when a page is there, and when it has drawn what it was sent.
import type { Model } from "../core/model.ts";
import { reconnect } from "../core/reconnect.ts";

interface Question {
  kind?: string;
  frame?: number;
}

function initialize({ model }: { model: Model }): void {
  reconnect({ model });
  model.on("msg:custom", (content) => {
    const message = content as Question | null;
    if (message?.kind !== "frame") return;
    // After the next painting, when all that came before this message is drawn.
    requestAnimationFrame(() => setTimeout(() => model.send({ kind: "drawn", frame: message.frame }), 0));
  });
}

function render({ model }: { model: Model }): void {
  model.send({ kind: "here" });
}

export default { initialize, render };

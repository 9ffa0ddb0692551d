// Finding options by what is typed. Pure.

const MARKS = /\p{M}/gu;
const WORD_CHARACTER = /[\p{L}\p{N}]/u;

/** Lower case without diacritics: "Café" and "cafe" are the same. */
export function fold(text: string): string {
  return text.normalize("NFKD").replace(MARKS, "").toLowerCase();
}

function splitWords(query: string): string[] {
  return fold(query)
    .split(/\s+/u)
    .filter((word) => word !== "");
}

function startsWord(text: string, at: number): boolean {
  return at === 0 || !WORD_CHARACTER.test(text[at - 1] ?? "");
}

function hasWordStart(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (startsWord(text, at)) return true;
  }
  return false;
}

/** The options of one list, folded once, however often they are searched. */
export class OptionSearch {
  private readonly folded: string[];

  constructor(options: readonly string[]) {
    this.folded = options.map(fold);
  }

  /**
   * Indices of the options that contain every word of `query`, in any order: first those that begin with the query, then
   * those where each word begins a word, then the rest. Within a rank, and for an empty query, `order` comes first.
   */
  matches(query: string, order: readonly number[] = []): number[] {
    const wanted = splitWords(query);
    const whole = wanted.join(" ");
    const ranks: [number[], number[], number[]] = [[], [], []];
    for (const index of this.ordered(order)) {
      const text = this.folded[index] ?? "";
      if (!wanted.every((word) => text.includes(word))) continue;
      const rank = text.startsWith(whole) ? 0 : wanted.every((word) => hasWordStart(text, word)) ? 1 : 2;
      ranks[rank].push(index);
    }
    return ranks.flat();
  }

  private ordered(order: readonly number[]): number[] {
    const first = new Set(order.filter((index) => Number.isInteger(index) && index >= 0 && index < this.folded.length));
    const rest = this.folded.map((_, index) => index).filter((index) => !first.has(index));
    return [...first, ...rest];
  }
}

/** The parts of `label` in order, each with whether a word of `query` found it. Joined they are `label`. */
export function markMatches(label: string, query: string): { text: string; found: boolean }[] {
  const characters = [...label];
  // One character may fold to none or to several, so remember which character each folded one came from.
  const origin: number[] = [];
  let folded = "";
  characters.forEach((character, index) => {
    const piece = fold(character);
    folded += piece;
    for (let i = 0; i < piece.length; i++) origin.push(index);
  });
  const found = new Array<boolean>(characters.length).fill(false);
  for (const word of splitWords(query)) {
    for (let at = folded.indexOf(word); at >= 0; at = folded.indexOf(word, at + word.length)) {
      for (let i = at; i < at + word.length; i++) found[origin[i] ?? 0] = true;
    }
  }
  const parts: { text: string; found: boolean }[] = [];
  characters.forEach((character, index) => {
    const last = parts.at(-1);
    if (last && last.found === found[index]) last.text += character;
    else parts.push({ text: character, found: found[index] ?? false });
  });
  return parts;
}

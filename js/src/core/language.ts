// Which of the languages that the kernel sent a page shows.

/** The pieces of a sentence, each with whether it is bold. */
export type Pieces = [string, boolean][];

/** The language of a page: what its address says (`?lang=ko`), then what the browser prefers. */
export function pageLanguage(search: string, preferred: string): string {
  const asked = new URLSearchParams(search).get("lang") || preferred;
  return (asked.split("-")[0] ?? "").toLowerCase();
}

/** The texts in `language`, or where that is null in the page's; English, or whatever there is, where it has none. */
export function textsIn<Texts>(texts: Record<string, Texts>, language: string | null): [string, Texts | undefined] {
  const wanted = language ?? pageLanguage(location.search, navigator.language);
  for (const name of [wanted, "en", ...Object.keys(texts)]) {
    if (Object.hasOwn(texts, name)) return [name, texts[name]];
  }
  return ["en", undefined];
}

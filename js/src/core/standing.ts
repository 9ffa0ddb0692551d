// How a widget stands with its kernel, and the sentence about it. Pure.

/** From best to worst. "late": an answer is overdue. "absent": there never was a kernel, as on a saved page. */
export const STANDINGS = ["answers", "late", "reconnecting", "cut off", "absent", "ended"] as const;
export type Standing = (typeof STANDINGS)[number];

/** What a host lets a widget know; a part is undefined where it says nothing. */
export interface Circumstances {
  /** Whether the widget is connected to one in a kernel. */
  readonly live: boolean | undefined;
  /** Whether it ever was. */
  readonly lived: boolean;
  /** The kernel's status and the connection's, as JupyterLab names them. */
  readonly kernel: string | undefined;
  readonly connection: string | undefined;
  readonly overdue: boolean;
}

const GONE = new Set(["dead", "terminating", "restarting", "autorestarting"]);

export function standing({ live, lived, kernel, connection, overdue }: Circumstances): Standing {
  if (live === false) return lived ? "ended" : "absent";
  if (kernel !== undefined && GONE.has(kernel)) return "ended";
  if (connection === "disconnected") return "cut off";
  if (connection === "connecting") return "reconnecting";
  return overdue ? "late" : "answers";
}

export function worst(standings: Iterable<Standing>): Standing {
  let found = 0;
  for (const each of standings) found = Math.max(found, STANDINGS.indexOf(each));
  return STANDINGS[found] as Standing;
}

/** `page`: a page of its own, as in Voila, whose cells run anew when it is reloaded. `notebook`: its cells can be run. */
export type Place = "page" | "notebook" | "elsewhere";

const SENTENCES: Record<Exclude<Standing, "answers">, Record<Place, string>> = {
  late: everywhere("The kernel has not answered yet: it is busy, or the connection is lost."),
  reconnecting: everywhere("The connection to the kernel is lost: trying to get it back."),
  "cut off": everywhere("The connection to the kernel is lost: reload the page."),
  absent: {
    page: "This page has no kernel: reload it to get one.",
    notebook: "The pale panels have no kernel: run their cells to use them.",
    elsewhere: "This page has no kernel: it shows what was computed before, and its controls do nothing.",
  },
  ended: {
    page: "The kernel has ended: reload the page.",
    notebook: "The kernel of the pale panels has ended: run their cells again.",
    elsewhere: "The kernel has ended: run the notebook again.",
  },
};

/** The sentence to show for widgets that stand like this, how urgent it is, and after how many milliseconds. */
export function notice(found: Standing, place: Place): { text: string; urgent: boolean; after: number } | null {
  if (found === "answers") return null;
  const urgent = found === "ended" || found === "cut off";
  // A slow network is late every time: it says so itself, and this is for a kernel that may be gone.
  return { text: SENTENCES[found][place], urgent, after: found === "late" ? 5000 : 1000 };
}

function everywhere(text: string): Record<Place, string> {
  return { page: text, notebook: text, elsewhere: text };
}

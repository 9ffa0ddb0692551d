// A view's link to the kernel: what it sends, and whether anybody is there. Hosts say it in different ways, or not.
import { type HostedModel, type HostModel, hostModel } from "./model.ts";
import { noticeOf } from "./notice.ts";
import { type Circumstances, type Standing, standing } from "./standing.ts";

const LOOK_EVERY = 1000;
const PANEL = ".cnnviz-view";

/** The links of this bundle, looked at in turn: no event tells of a kernel that was exchanged or shut down. */
const links = new Set<Link>();
let looking: ReturnType<typeof setInterval> | undefined;

function lookAtAll(): void {
  for (const link of links) link.look();
}

export class Link {
  private host: HostModel | null = null;
  private lived = false;
  private failed = false;
  private readonly overdue = new Set<unknown>();
  private current: Standing = "answers";
  private notice: ReturnType<typeof noticeOf> | null = null;

  constructor(
    private readonly model: HostedModel,
    private readonly root: HTMLElement,
    private readonly id: string,
  ) {
    links.add(this);
    looking ??= setInterval(lookAtAll, LOOK_EVERY);
    model.on("comm_live_update", this.look);
    const found = (host: HostModel | null) => {
      this.host = host;
      this.look();
    };
    hostModel(model).then(found, () => {}); // a host without models of its own
  }

  /** Send, if there is a kernel; what it cannot take is dropped, and the page says why. */
  readonly send = (content: Record<string, unknown>, buffers?: ArrayBuffer[]): void => {
    this.look();
    if (this.isOver && this.host !== null) {
      this.root.setAttribute("data-unsent", "");
      this.mark();
      return;
    }
    try {
      this.model.send(content, undefined, buffers);
      this.failed = false;
    } catch (error) {
      this.failed = true;
      this.look();
      if (!this.isOver) throw error;
    }
  };

  /** Save what was set, if there is a kernel. */
  readonly save = (): void => {
    if (!this.isOver) this.model.save_changes();
  };

  /** Whether nothing that is sent can reach a kernel any more. */
  get isOver(): boolean {
    return this.current === "ended" || this.current === "absent";
  }

  /** An answer to the events of `queue` is overdue, or has come. */
  setOverdue(queue: unknown, overdue: boolean): void {
    if (overdue) this.overdue.add(queue);
    else this.overdue.delete(queue);
    this.look();
  }

  dispose(): void {
    this.model.off("comm_live_update", this.look);
    links.delete(this);
    if (links.size === 0) {
      clearInterval(looking);
      looking = undefined;
    }
    this.notice?.report(this.id, null);
  }

  readonly look = (): void => {
    if (!links.has(this)) return;
    this.current = standing(this.circumstances());
    if (this.current === "answers") this.root.removeAttribute("data-unsent");
    if (!this.root.isConnected) return; // which page it will be on is not known yet
    this.notice ??= noticeOf(this.root);
    this.notice.report(this.id, this.current);
    this.mark();
  };

  private circumstances(): Circumstances {
    const { host, model } = this;
    const kernel = model.widget_manager?.kernel;
    const disposed = host?.comm?.jsServicesComm?.isDisposed === true;
    const live = host === null ? undefined : host.comm !== undefined && host.comm_live !== false && !disposed;
    this.lived ||= live === true;
    return {
      live: host === null && this.failed ? false : live,
      lived: this.lived || this.failed,
      kernel: kernel?.status,
      connection: kernel?.connectionStatus,
      overdue: this.overdue.size > 0,
    };
  }

  /** Make pale what no kernel stands behind: its panel, or the widget where it is in none. */
  private mark(): void {
    const panel = this.root.closest(PANEL) ?? this.root;
    const inNotebook = this.root.closest(".jp-NotebookPanel") !== null;
    const dead = this.current === "ended" || (this.current === "absent" && inNotebook);
    panel.toggleAttribute("data-cnnviz-ended", dead || (this.isOver && this.root.hasAttribute("data-unsent")));
  }
}

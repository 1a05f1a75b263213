// The way from the kernel's pump to every widget on a page, and the few words back.
//
// The pump sends one message per tick for all widgets, on a hidden hub model; a channel
// listens to that model once per page, hands each part to the views that show it, and
// acknowledges for all of them, at most once a second (acks.ts). A widget needs this much:
//
//     const link = await join(model, el, {
//       receive(frame) { … },        // its own parts only; frame.buffers are DataViews
//       visible(flag) { … },         // optional: on screen or not (tab, scroll)
//       resized(width) { … },        // optional: the element's width in CSS pixels
//     });
//     link.say({ … });               // optional: a word to the kernel-side part
//     link.spent(ms);                // optional: what a drawing cost, so that the pump adapts
//     link.silence();                // seconds without a word from the kernel, while visible
//     link.close();                  // when the view is removed
//
// The widget's model has two synced traits: `hub` (a widget reference) and `part` (the
// key of what the pump sends for it). On `join` the view says hello and the kernel
// answers with a frame that is addressed to it (`frame.view`), so a reload and a second
// tab fill at once.
//
// The one rule: a page has one channel for all its widgets (shared/common.ts), and where it
// cannot, everything works with a channel per instance.
import { Acks } from "./acks";
import { common } from "./common";
import { Pace } from "./pace";

/** What the pump sends for one part in one tick. */
export interface Frame {
  key: string;
  kind: string;
  /** Set when the frame answers one view's hello or request. */
  view?: string | null;
  /** When the kernel sent it, ms since the epoch. */
  sent: number;
  seq: number;
  buffers: DataView[];
  [field: string]: unknown;
}

export interface Hooks {
  receive(frame: Frame): void;
  visible?(flag: boolean): void;
  resized?(width: number): void;
}

export interface Link {
  readonly view: string;
  say(content: Record<string, unknown>): void;
  spent(ms: number): void;
  silence(): number;
  isVisible(): boolean;
  close(): void;
}

/** The part of a Jupyter widget model that is used here. */
export interface Model {
  get(name: string): any;
  on(event: string, callback: (...args: any[]) => void): void;
  off(event: string, callback?: (...args: any[]) => void): void;
  send?(content: unknown, callbacks?: unknown, buffers?: unknown): void;
  widget_manager?: { get_model(id: string): Promise<Model> };
}

interface Member {
  view: string;
  part: string;
  hooks: Hooks;
  visible: boolean;
  width: number;
  cost: number;
}

/** How often a page looks whether it has something to say. */
const LOOK_MS = 1000;
/** Without a word for so long, a visible view says hello again: the kernel may have forgotten it. */
const HELLO_MS = 5000;

class Channel {
  readonly page = uuid();
  private members = new Map<string, Member>();
  private parts = new Map<string, Set<Member>>();
  private heard = performance.now();
  private seq = 0;
  private timer: number | undefined;
  private soon = false;
  private watch: number | undefined;
  private looked = -Infinity;
  private acks = new Acks();
  private lag = new Pace();

  constructor(private hub: Model) {
    hub.on("msg:custom", this.receive);
    document.addEventListener("visibilitychange", this.reveal);
    globalThis.addEventListener?.("pagehide", this.leave);
  }

  add(member: Member): void {
    if (this.members.size === 0) this.watch = setInterval(this.check, 1000) as unknown as number;
    this.members.set(member.view, member);
    const group = this.parts.get(member.part) ?? new Set();
    this.parts.set(member.part, group.add(member));
    this.heard = performance.now();
    this.hello(member);
  }

  remove(member: Member): void {
    if (!this.members.delete(member.view)) return;
    this.parts.get(member.part)?.delete(member);
    this.send({ type: "bye", view: member.view, page: this.page });
    if (this.members.size === 0) clearInterval(this.watch);
  }

  /** Tells the pump what is visible and how wide, soon: many views change in one scroll. */
  report(): void {
    if (this.soon) return;
    this.soon = true;
    clearTimeout(this.timer); // the second's own, which may be a second away
    this.timer = setTimeout(this.look, 50) as unknown as number;
  }

  revealed(): void {
    this.heard = performance.now();
    this.acks.forget();
    this.report();
  }

  send(content: Record<string, unknown>): void {
    try {
      this.hub.send?.(content);
    } catch {
      // The kernel is gone; `silence` says so to whoever looks.
    }
  }

  silence(): number {
    return (performance.now() - this.heard) / 1000;
  }

  private hello(member: Member): void {
    const { view, part, visible, width } = member;
    this.send({ type: "hello", view, page: this.page, part, visible: !document.hidden, away: !visible, width });
  }

  private receive = (content: any, buffers: DataView[] = []): void => {
    if (content?.type !== "frames") return;
    this.heard = performance.now();
    this.seq = content.seq;
    this.lag.arrived(content.sent, Date.now());
    let at = 0;
    for (const part of content.parts) {
      const mine = buffers.slice(at, (at += part.buffers ?? 0));
      for (const member of this.parts.get(part.key) ?? []) {
        if (part.view && part.view !== member.view) continue;
        // One faulty view must not take the others' frames with it.
        try {
          member.hooks.receive({ ...part, sent: content.sent, seq: content.seq, buffers: mine });
        } catch (error) {
          console.error("nbrealtime:", error);
        }
      }
    }
    if (this.timer === undefined) {
      const wait = Math.max(0, this.looked + LOOK_MS - performance.now());
      this.timer = setTimeout(this.look, wait) as unknown as number;
    }
  };

  /** Says what this page shows and can draw, if that is due. */
  private look = (): void => {
    this.timer = undefined;
    this.soon = false;
    this.looked = performance.now();
    if (this.members.size === 0) return;
    const all = [...this.members.values()];
    const cost = all.reduce((sum, one) => sum + (one.visible ? one.cost : 0), 0);
    const rate = this.lag.rate(cost);
    const views = all.map(({ view, part, visible, width }) => ({
      view,
      part,
      visible: !document.hidden,
      away: !visible,
      width,
      rate,
    }));
    if (!this.acks.due(views, this.looked)) return;
    this.send({ type: "ack", view: this.page, page: this.page, seq: this.seq, views });
  };

  private check = (): void => {
    if (document.hidden || this.silence() * 1000 < HELLO_MS) return;
    const beat = Math.round(this.silence()) % (HELLO_MS / 1000) === 0;
    if (beat) for (const member of this.members.values()) if (member.visible) this.hello(member);
  };

  private reveal = (): void => {
    this.heard = performance.now();
    for (const member of this.members.values()) {
      if (member.visible) member.hooks.visible?.(!document.hidden);
    }
    // Now, not soon: the browser slows the timers of a tab that is hidden.
    clearTimeout(this.timer);
    this.acks.forget();
    this.look();
  };

  private leave = (): void => {
    for (const { view } of this.members.values()) this.send({ type: "bye", view, page: this.page });
  };
}

/** Connects a view to what the pump sends for its model's `part`. */
export async function join(model: Model, el: HTMLElement, hooks: Hooks): Promise<Link> {
  const reference = String(model.get("hub")).replace("IPY_MODEL_", "");
  const hub = await model.widget_manager!.get_model(reference);
  const channels = common("channels", () => new WeakMap<object, Channel>());
  let channel = channels.get(hub);
  if (channel === undefined) channels.set(hub, (channel = new Channel(hub)));
  const found = channel;

  const member: Member = {
    view: uuid(),
    part: model.get("part"),
    hooks,
    visible: true,
    width: Math.round(el.clientWidth) || 600,
    cost: 0,
  };
  const onScreen = new IntersectionObserver((entries) => {
    const flag = entries[entries.length - 1]!.isIntersecting;
    if (flag === member.visible) return;
    member.visible = flag;
    hooks.visible?.(flag && !document.hidden);
    flag ? found.revealed() : found.report();
  });
  const size = new ResizeObserver(() => {
    const width = Math.round(el.clientWidth);
    // An element that is folded away has no width; its last one is what it will have again.
    if (width === 0 || width === member.width) return;
    member.width = width;
    hooks.resized?.(width);
    found.report();
  });
  found.add(member);
  onScreen.observe(el);
  size.observe(el);
  return {
    view: member.view,
    say: (content) => found.send({ ...content, view: member.view, page: found.page, part: member.part }),
    spent: (ms) => {
      member.cost += 0.1 * (ms - member.cost);
    },
    silence: () => (member.visible && !document.hidden ? found.silence() : 0),
    isVisible: () => member.visible && !document.hidden,
    close: () => {
      onScreen.disconnect();
      size.disconnect();
      found.remove(member);
    },
  };
}

function uuid(): string {
  // randomUUID exists in secure contexts only, and a Jupyter behind plain http is none.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// What hands do with a view: zoom and pan, follow again, pause, point.
//
// Collaborators: gestures.ts tells what a hand did, lens.ts keeps what is shown for it,
// crosshair.ts and sync.ts point, toolbar.ts and menu.ts are the controls, files.ts is what the
// menu is for; view.ts draws.
//
// The one rule: all of it is this view's own. Nothing reaches another view of the same plot,
// but for a crosshair that plots share by name.
import type { Link, Model } from "../shared/channel";
import type { Action } from "./actions";
import { Crosshair, type Sight } from "./crosshair";
import { hide } from "./face";
import { files } from "./files";
import { Gestures } from "./gestures";
import type { Header } from "./header";
import { Lens } from "./lens";
import { Menu } from "./menu";
import { valueAt } from "./scale";
import type { Store } from "./store";
import { Sync } from "./sync";
import { Toolbar } from "./toolbar";
import { pan, select, within, zoom, type Span } from "./zoom";

/** What the hands are told of the view, and what they have it do. */
export interface Host {
  model: Model;
  stage: HTMLElement;
  link(): Link | null;
  /** What is in view; null while there is nothing. */
  sight(): Sight | null;
  /** The columns that a lens looks at: the live ones, or the pause's. */
  live(): readonly Store[];
  /** What there is to look at: the oldest time and the newest. */
  extent(): Span;
  picture(): Promise<Blob>;
  pause(): void;
  resume(): void;
  paused(): boolean;
  closed(): boolean;
  /** Draws anew; `fresh`: the value axis is to fit what is shown now. */
  changed(fresh: boolean): void;
}

const SHORTEST = 0.001;

export class Hands {
  readonly lens = new Lens();
  private gestures: Gestures;
  private cross = new Crosshair();
  private sync: Sync;
  private toolbar: Toolbar;
  private menu: Menu;
  private later: number | undefined;
  private moved = false;
  private held = false;

  constructor(private host: Host) {
    this.gestures = new Gestures((action) => this.act(action), () => this.lens.zoomed);
    this.sync = new Sync((time) => this.shared(time));
    this.menu = new Menu(files(host));
    this.toolbar = new Toolbar(
      this.menu,
      () => this.follow(true),
      () => this.pause(),
    );
    this.gestures.field.append(this.cross.root, this.toolbar.busy);
    host.model.on("msg:custom", this.heard);
    host.stage.append(this.gestures.field, this.toolbar.root, this.menu.list, this.cross.voice);
  }

  /** The zoom ends; with `live`, a pause too. */
  follow(live: boolean): void {
    this.lens.follow();
    if (live && this.host.paused()) this.host.resume();
    this.host.changed(true);
  }

  /** The kernel's answer to a question of ours. */
  take(head: Header, series: number): void {
    const taken = this.lens.take(head, series, performance.now());
    // A coarse bin is as high as all that happened in it: what a zoom shows of it is known only now.
    if (taken !== null) this.host.changed(taken.first);
  }

  /** Shows which controls there are to use. */
  show(able: boolean): void {
    this.toolbar.show(able, !this.host.closed(), this.host.paused(), this.lens.zoomed);
    this.gestures.field.hidden = !able;
  }

  /** After every draw: what lies over the canvas, and what the kernel is to be asked. `left`, `top`: of the area. */
  settle(left: number, top: number, sight: Sight): void {
    const ms = performance.now();
    this.gestures.place(left, top, sight.width, sight.height);
    this.sync.join(this.host.model.get("cursor_sync") ?? "");
    this.cross.place(sight, ms);
    // While the plot moves below a resting pointer, its time moves too.
    if (this.moved) this.sync.tell(this.cross.time(sight));
    this.ask(ms, sight);
  }

  close(): void {
    this.host.model.off("msg:custom", this.heard);
    clearTimeout(this.later);
    this.gestures.close();
    this.menu.end();
    this.sync.close();
  }

  /** Python's word to every view. */
  private heard = (content: any): void => {
    if (content?.type === "reset_view") this.follow(true);
  };

  // -- gestures -----------------------------------------------------------------------

  private act(action: Action): void {
    const drawn = this.host.sight();
    if (drawn === null) return;
    // Several turns of a wheel come between two draws: each goes on from the one before.
    const sight = { ...drawn, x: this.lens.x ?? drawn.x, y: this.lens.y ?? drawn.y };
    switch (action.do) {
      case "hold":
        if (this.lens.x !== null) break;
        this.held = true;
        this.lens.look(drawn.x, this.host.live(), performance.now());
        this.host.changed(false);
        break;
      case "drop":
        this.drop();
        break;
      case "select":
        this.look(
          sight,
          action.x && select(sight.x, action.x[0], action.x[1]),
          action.y && select([0, 1], action.y[0], action.y[1]),
        );
        // Of the values alone: the time goes on.
        if (action.x === null) this.drop();
        this.held = false;
        break;
      case "zoom":
        if (action.axis === "x") this.look(sight, zoom(sight.x, action.place, action.factor), null);
        else this.look(sight, null, zoom([0, 1], action.place, action.factor));
        break;
      case "pan":
        if (action.axis === "x") this.look(sight, pan(sight.x, action.by), null);
        else this.look(sight, null, pan([0, 1], action.by));
        break;
      case "follow":
        this.cross.hide();
        this.follow(false);
        break;
      case "pause":
        this.pause();
        break;
      case "point":
        this.cross.point(action.x, action.y);
        this.pointed(sight);
        break;
      case "step": {
        const time = this.cross.step(sight, action.by);
        if (time === null) break;
        this.cross.show(time);
        this.pointed(sight);
        this.cross.voice.textContent = this.cross.sentence(sight);
        break;
      }
      case "unpoint":
        this.moved = false;
        this.cross.hide();
        this.sync.tell(null);
    }
  }

  /** Shows a span of time, places of the value axis, or both. */
  private look(sight: Sight, x: Span | null, y: Span | null): void {
    const { lens, host } = this;
    const length = (span: Span): number => span[1] - span[0];
    const zoomed = x !== null && Math.abs(length(x) / length(sight.x) - 1) > 1e-6;
    if (x !== null) {
      const [oldest, newest] = host.extent();
      const span = within(x, { oldest, newest, shortest: SHORTEST });
      // As far out as it goes, and back at the newest: nothing would change but that it stands still.
      if (lens.x === null && span[0] === sight.x[0] && span[1] === sight.x[1]) return;
      lens.look(span, host.live(), performance.now(), zoomed);
    }
    if (y !== null && y[1] - y[0] > 1e-9) {
      const bounds: Span = [valueAt(y[0], sight.y, sight.log), valueAt(y[1], sight.y, sight.log)];
      if (bounds.every(Number.isFinite) && bounds[1] - bounds[0] > 1e-12 * Math.max(...bounds.map(Math.abs))) lens.y = bounds;
    }
    host.changed(zoomed);
  }

  private drop(): void {
    if (!this.held) return;
    this.held = false;
    this.lens.release();
    this.host.changed(false);
  }

  private pause(): void {
    if (this.host.closed()) return;
    if (this.host.paused()) this.host.resume();
    else this.host.pause();
  }

  private pointed(sight: Sight): void {
    this.moved = true;
    this.cross.place(sight, performance.now());
    this.sync.tell(this.cross.time(sight));
  }

  /** Another plot of the same name points at a time, or at nothing any more. */
  private shared(time: number | null): void {
    this.moved = false;
    if (time === null) {
      this.cross.hide();
      return;
    }
    this.cross.show(time);
    const sight = this.host.sight();
    if (sight !== null) this.cross.place(sight, performance.now());
  }

  // -- the kernel ---------------------------------------------------------------------

  /** Asks for what is shown in detail, and says so when the kernel lets it wait. */
  private ask(ms: number, sight: Sight): void {
    const { lens, host, toolbar } = this;
    clearTimeout(this.later);
    this.later = undefined;
    if (lens.x === null || host.closed()) {
      hide(toolbar.busy, true);
      return;
    }
    const question = lens.ask(ms, sight.width, host.live(), host.extent());
    if (question !== null) host.link()?.say({ type: "range", ...question });
    hide(toolbar.busy, !lens.busy(ms));
    // A gesture settles, a question waits: both want another look without any news.
    this.later = setTimeout(() => {
      const seen = host.sight();
      if (seen !== null) this.ask(performance.now(), seen);
    }, 150) as unknown as number;
  }
}

// What every panel does alike: it joins the pump's channel, follows the theme, notices
// that the kernel is silent, and leaves without a trace.
//
//     export default panel((model) => new Badge(model));
//
// The one rule: a panel shows what the newest frame says and nothing that it remembers
// besides, so a reload, a second tab and a late display all show the same.
import { here } from "../shared/here";
import { join, type Frame, type Link, type Model } from "../shared/channel";
import { Life, SILENT_SECONDS } from "../shared/life";
import { dress, type Theme } from "../shared/theme";

/** Says something to the kernel-side part; what is said before the channel is joined is lost. */
export type Say = (content: Record<string, unknown>) => void;

export interface View {
  readonly root: HTMLElement;
  /** Shows a frame of the panel's own part. */
  show(frame: Frame): void;
  /** The kernel has said nothing for `seconds`, `Infinity` if it has ended; once a second, 0 when it speaks again. */
  silent(seconds: number): void;
  /** Whether something that only time changes is due, so that the kernel should look again; asked once a second. */
  due?(): boolean;
  /** The theme, before the first frame and when it is another; for what CSS cannot colour. */
  themed?(theme: Theme): void;
  /** Removes timers and listeners. */
  close(): void;
}

interface Context {
  model: Model;
  el: HTMLElement;
}

/** What anywidget takes for a widget's module. */
interface Module {
  initialize(context: { model: Model }): void;
  render(context: Context): Promise<() => void>;
}

/** Tells what a drawing cost (ms), so that the pump adapts. */
export type Spend = (ms: number) => void;

/** Returns the module that anywidget expects for a panel made by `build`. */
export function panel(build: (model: Model, say: Say, spend: Spend) => View): Module {
  return {
    initialize: (context) => void here(context),
    async render({ model, el }) {
      let link: Link | null = null;
      const view = build(model, (content) => link?.say(content), (ms) => link?.spent(ms));
      const theme: Theme = dress(view.root, () => view.themed?.(theme));
      el.append(view.root);
      view.themed?.(theme);
      const joined = (link = await join(model, view.root, { receive: (frame) => view.show(frame) }));
      let silent = false;
      const listen = (): void => {
        const seconds = life.silence(joined.silence());
        if (seconds < SILENT_SECONDS && !silent) return;
        silent = seconds >= SILENT_SECONDS;
        view.silent(silent ? seconds : 0);
      };
      const life = new Life(model, listen);
      const watch = setInterval(() => {
        if (joined.isVisible() && view.due?.()) joined.say({ type: "look" });
        listen();
      }, 1000);
      return () => {
        clearInterval(watch);
        life.close();
        joined.close();
        theme.close();
        view.close();
      };
    },
  };
}

// Browser notifications: whether they can be had here, and one for each new alarm.
//
// Collaborators: alertlog.ts has the button and the line; the kernel sends a frame to a
// hidden page too once a view of it has said that it notifies.
//
// The rules: the permission is asked for by a click and never otherwise; what had happened
// before is no news; and however many logs a page shows, an alarm is notified of once.
import { common } from "../shared/common";
import type { Event } from "./words";

/** The part of a browser that is used here; a test brings its own. */
export interface Host {
  Notification?: {
    new (title: string, options: { body: string; tag: string }): { onclick: unknown; close(): void };
    readonly permission: string;
    requestPermission(): Promise<string>;
  };
  secure: boolean;
  /** The page is in a frame of another origin, where no browser asks for a permission. */
  isolated: boolean;
  focus(): void;
  /** What this tab remembers. */
  recall(): boolean;
  remember(on: boolean): void;
}

const MEMORY = "nbrt-notify";

export function here(): Host {
  let isolated = false;
  try {
    void window.top!.location.href;
  } catch {
    isolated = true;
  }
  return {
    Notification: (globalThis as any).Notification,
    secure: globalThis.isSecureContext,
    isolated,
    focus: () => window.focus(),
    recall: () => {
      try {
        return sessionStorage.getItem(MEMORY) === "on";
      } catch {
        return false; // a sandboxed frame
      }
    },
    remember: (on) => {
      try {
        sessionStorage.setItem(MEMORY, on ? "on" : "off");
      } catch {
        // Then it is asked for again after a reload.
      }
    },
  };
}

export class Notices {
  on = false;
  private last: number | null = null;
  private failed = "";

  constructor(private host: Host) {
    this.on = this.able() && host.Notification!.permission === "granted" && host.recall();
  }

  /** Whether a click could turn them on. */
  able(): boolean {
    return this.why() === "";
  }

  /** Why they cannot be had here, in a sentence; nothing if they can. */
  why(): string {
    const { Notification, secure, isolated } = this.host;
    if (this.failed) return this.failed;
    if (isolated) return "No notifications here: this host keeps outputs in a frame of their own";
    if (!secure) return "Notifications need https or localhost";
    if (!Notification) return "This browser has no notifications";
    return Notification.permission === "denied" ? "The browser blocks notifications of this page" : "";
  }

  /** On a click: asks if need be, turns on, or off. */
  async toggle(): Promise<void> {
    const { Notification } = this.host;
    if (!this.able() || !Notification) return;
    if (!this.on && Notification.permission !== "granted") {
      if ((await Notification.requestPermission()) !== "granted") return;
    }
    this.on = !this.on;
    this.host.remember(this.on);
  }

  /** Takes the events of a frame, newest first; notifies of the alarms among those that are new. */
  take(events: readonly Event[]): void {
    const newest = events[0]?.[0] ?? 0;
    const before = this.last;
    this.last = Math.max(before ?? 0, newest);
    if (before === null || !this.on) return;
    const told = common("told", () => new Set<string>());
    const seen = new Set<number>();
    for (const [number, time, level, state, message, alert, notify] of events) {
      if (number <= before) break;
      // The newest of each alert is enough.
      if (!notify || state !== "firing" || seen.has(alert)) continue;
      seen.add(alert);
      const key = `${alert} ${time}`;
      if (told.has(key)) continue;
      told.add(key);
      if (told.size > 1000) told.delete(told.values().next().value!);
      this.show(level, message, alert);
    }
  }

  private show(level: string, message: string, alert: number): void {
    try {
      const made = new this.host.Notification!(level === "critical" ? "Critical alert" : "Warning", { body: message, tag: `nbrt-alert-${alert}` });
      made.onclick = () => {
        this.host.focus();
        made.close();
      };
    } catch {
      // Chrome on Android has the name and lets only service workers use it.
      this.on = false;
      this.failed = "This browser lets no page notify";
    }
  }
}

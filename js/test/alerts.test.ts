import assert from "node:assert/strict";
import { test } from "node:test";
import { Notices, type Host } from "../src/alerts/notices";
import { about, quiet, spoken, standing, when, type Event, type Row, type State } from "../src/alerts/words";

const row = (changes: Partial<Row> = {}): Row => ({
  id: 1, name: "Hot", about: "lab:temp above 30", level: "warning", state: "ok", value: 20, since: 1_000_000, count: 0,
  series: 1, firing: 0, on: [], age: 100, notify: false, ...changes,
});
const state = (...alerts: Row[]): State => ({
  state: alerts.length ? "live" : "empty", why: "", closed: null, firing: alerts.filter((one) => one.state === "firing").length,
  alerts, more: 0, events: [],
});
const said = (at: State | null, silent = 0, passed = 0): [string, string, string] => {
  const { state, word, tone } = standing(at, silent, passed);
  return [state, word, tone];
};

test("says how all stand in a word", () => {
  assert.deepEqual(said(null), ["connecting", "Connecting", "wait"]);
  assert.deepEqual(said(state()), ["empty", "No alerts", "off"]);
  assert.deepEqual(said(state(row())), ["live", "OK", "good"]);
  assert.deepEqual(said(state(row(), row({ state: "pending" }))), ["live", "1 pending", "wait"]);
  assert.deepEqual(said(state(row({ state: "firing" }), row())), ["live", "1 firing", "wait"]);
  assert.deepEqual(said(state(row({ state: "firing", level: "critical" }))), ["live", "1 firing", "bad"]);
  assert.deepEqual(said(state(row({ state: "closed" }))), ["live", "All closed", "off"]);
});

test("does not call all right what it does not know", () => {
  assert.deepEqual(said(state(row()), 6), ["silent", "No answer", "wait"]);
  assert.deepEqual(said(state(row()), Infinity), ["ended", "Ended", "off"]);
  assert.deepEqual(said({ ...state(row()), state: "reconnecting" }), ["reconnecting", "Reconnecting", "wait"]);
  assert.deepEqual(said(state(row(), row()), false, 11_000), ["stale", "Quiet", "wait"]);
  assert.deepEqual(said(state(row({ state: "firing" })), false, 11_000), ["stale", "1 firing", "wait"]);
  assert.equal(quiet(row({ age: null }), 60_000), false);
});

test("an alert that has seen no number waits", () => {
  const unheard = row({ value: null, since: null, age: null });
  assert.deepEqual(said(state(unheard)), ["waiting", "1 waiting", "wait"]);
  assert.deepEqual(said(state(unheard, row())), ["live", "1 waiting", "wait"]);
  assert.deepEqual(said(state(unheard, row({ state: "firing" }))), ["live", "1 firing", "wait"]);
  assert.equal(when(unheard, 0, 60_000), "no data yet");
});

test("says for how long", () => {
  assert.equal(when(row({ state: "firing" }), 1_012_000, 0), "for 12 s");
  assert.match(when(row(), 1_012_000, 0), /^since \d\d:\d\d:\d\d$/);
  assert.equal(when(row(), 1_012_000, 20_000), "no data for 20 s");
  assert.equal(when(row({ since: null }), 0, 0), "");
  assert.equal(when(row({ state: "closed" }), 0, 60_000), "");
});

test("says what it is about", () => {
  assert.equal(about(row()), "lab:temp above 30 · has not fired");
  assert.equal(about(row({ about: "" })), "Has not fired");
  assert.equal(about(row({ count: 1 })), "lab:temp above 30 · fired once");
  assert.equal(about(row({ series: 5, count: 1204 })), "lab:temp above 30 · 5 series · fired 1\u2009204 times");
  const many = row({ series: 12, firing: 5, on: ["a", "b", "c"], state: "firing" });
  assert.equal(about(many), "5 of 12: a, b, c and 2 more");
});

test("tells ears what fires", () => {
  assert.equal(spoken(state(row())), "");
  assert.equal(spoken(state(row({ state: "firing" }))), "1 alert firing: warning Hot");
});

// Notifications.

const host = (changes: Partial<Host> = {}, permission = "granted", answer = "granted") => {
  const shown: string[] = [];
  let asked = 0;
  let memory = false;
  class Notification {
    static permission = permission;
    static async requestPermission(): Promise<string> {
      asked++;
      return (Notification.permission = answer);
    }
    onclick: unknown = null;
    constructor(title: string, options: { body: string; tag: string }) {
      shown.push(`${title}: ${options.body} (${options.tag})`);
    }
    close(): void {}
  }
  const made: Host = {
    Notification, secure: true, isolated: false, focus: () => {}, recall: () => memory, remember: (on) => (memory = on), ...changes,
  };
  return { made, shown, asked: () => asked };
};
let clockwork = 0;
const event = (n: number, changes: { state?: string; alert?: number; notify?: boolean; level?: string } = {}): Event => [
  n, ++clockwork, changes.level ?? "warning", changes.state ?? "firing", `message ${n}`, changes.alert ?? 1, changes.notify ?? true,
];

test("asks for the permission on a click and not before", async () => {
  const { made, shown, asked } = host({}, "default");
  const notices = new Notices(made);
  notices.take([]);
  notices.take([event(1)]);
  assert.equal(asked(), 0);
  await notices.toggle();
  assert.equal(asked(), 1);
  assert.equal(notices.on, true);
  notices.take([event(2)]);
  assert.deepEqual(shown, ["Warning: message 2 (nbrt-alert-1)"]);
  await notices.toggle();
  notices.take([event(3)]);
  assert.equal(shown.length, 1);
  assert.equal(asked(), 1);
});

test("notifies of new alarms only, once for each alert, and not of what clears", async () => {
  const { made, shown } = host();
  const notices = new Notices(made);
  await notices.toggle();
  notices.take([event(2), event(1)]);
  assert.deepEqual(shown, []);
  notices.take([event(6, { notify: false, alert: 3 }), event(5, { level: "critical" }), event(4, { state: "ok" }), event(3), event(2)]);
  assert.deepEqual(shown, ["Critical alert: message 5 (nbrt-alert-1)"]);
  const again: Event = event(7, { alert: 9 });
  notices.take([again]);
  const other = new Notices(host({ recall: () => true }).made);
  assert.equal(other.on, true);
  other.take([]);
  other.take([again]);
  assert.equal(shown.length, 2);
});

test("says why there are none, and does nothing then", async () => {
  assert.match(new Notices(host({ isolated: true }).made).why(), /frame of their own/);
  assert.match(new Notices(host({ secure: false }).made).why(), /https or localhost/);
  assert.match(new Notices(host({ Notification: undefined }).made).why(), /has no notifications/);
  const { made, asked } = host({}, "denied");
  const notices = new Notices(made);
  assert.match(notices.why(), /blocks/);
  await notices.toggle();
  assert.deepEqual([notices.on, asked()], [false, 0]);
  const refused = new Notices(host({}, "default", "denied").made);
  await refused.toggle();
  assert.equal(refused.on, false);
  assert.match(refused.why(), /blocks/);
});

test("a browser that throws is said, not thrown", async () => {
  const { made } = host();
  class Mobile {
    static permission = "granted";
    static async requestPermission(): Promise<string> { return "granted"; }
    onclick: unknown;
    constructor() { throw new TypeError("Illegal constructor"); }
    close(): void {}
  }
  const notices = new Notices({ ...made, Notification: Mobile });
  await notices.toggle();
  notices.take([]);
  notices.take([event(1)]);
  assert.equal(notices.on, false);
  assert.match(notices.why(), /lets no page notify/);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Model } from "../src/shared/channel";
import { Life, unheard } from "../src/shared/life";

class Hub {
  comm_live: boolean | undefined = true;
  listeners = new Set<() => void>();
  get = (): null => null;
  on = (event: string, callback: () => void): void => void (event === "comm_live_update" && this.listeners.add(callback));
  off = (_event: string, callback?: () => void): void => void this.listeners.delete(callback!);
  become(live: boolean): void {
    this.comm_live = live;
    for (const one of this.listeners) one();
  }
}

function widget(hub: Hub | null): Model {
  const found = async (id: string): Promise<Model> => {
    assert.equal(id, "abc");
    if (hub === null) throw new Error("no such model");
    return hub;
  };
  return { get: () => "IPY_MODEL_abc", on() {}, off() {}, widget_manager: { get_model: found } };
}

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("that a kernel has ended, and that it is there again, is told at once", async () => {
  const hub = new Hub();
  const told: boolean[] = [];
  const life: Life = new Life(widget(hub), () => told.push(life.ended));
  await soon();
  hub.become(false);
  hub.become(true);
  assert.deepEqual(told, [true, false]);
});

test("a kernel that ended before anybody looked is told of, too", async () => {
  const hub = new Hub();
  hub.comm_live = false;
  let told = 0;
  const life = new Life(widget(hub), () => told++);
  await soon();
  assert.ok(life.ended);
  assert.equal(told, 1);
  assert.equal(unheard(life.silence(2)), "kernel has ended, run the cell again");
});

test("where the host does not say, no kernel has ended", async () => {
  const mute = new Hub();
  mute.comm_live = undefined;
  const lives = [mute, null].map((hub) => new Life(widget(hub), () => assert.fail("nothing is known")));
  await soon();
  assert.deepEqual(lives.map((life) => life.ended), [false, false]);
});

test("a view that is closed listens no longer, even if it was closed before the hub was found", async () => {
  const hub = new Hub();
  const late = new Life(widget(hub), () => assert.fail("it is closed"));
  late.close();
  await soon();
  const life = new Life(widget(hub), () => assert.fail("it is closed"));
  await soon();
  life.close();
  hub.become(false);
  assert.equal(hub.listeners.size, 0);
});

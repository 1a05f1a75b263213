// What all bundles of a page have in common.
//
// The one rule: `_esm` is evaluated per widget instance, so it hangs on
// globalThis[Symbol.for("nbrealtime.v1")]; where that cannot be written everything works
// without it, each instance with its own.

const own: Record<string, unknown> = {};

/** The page's `name`, made by whoever comes first. */
export function common<T>(name: string, make: () => T): T {
  let space = own;
  try {
    space = ((globalThis as any)[Symbol.for("nbrealtime.v1")] ??= {});
    // Frozen by a host: found, but not to be written.
    return (space[name] ??= make()) as T;
  } catch {
    return (own[name] ??= make()) as T;
  }
}

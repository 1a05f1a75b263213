// One crosshair for several plots: those of a page whose `cursor_sync` is the same.
//
// Collaborators: crosshair.ts shows what comes, shared/common.ts is where plots of different
// bundles meet.
//
// The one rule: what is told is a time. Each plot looks up its own values.
import { common } from "../shared/common";

interface Member {
  group: string;
  show(time: number | null): void;
}

export class Sync {
  private members = common("cursors", () => new Set<Member>());
  private member: Member;

  /** `show` puts another plot's crosshair to a time, or takes it away. */
  constructor(show: (time: number | null) => void) {
    this.member = { group: "", show };
    this.members.add(this.member);
  }

  /** Joins the plots of this name; "" is none. */
  join(group: string): void {
    if (group !== this.member.group) this.tell(null);
    this.member.group = group;
  }

  /** Shows `time` in the others; null takes their crosshairs away. */
  tell(time: number | null): void {
    const { group } = this.member;
    if (group === "") return;
    for (const other of this.members) if (other !== this.member && other.group === group) other.show(time);
  }

  close(): void {
    this.tell(null);
    this.members.delete(this.member);
  }
}

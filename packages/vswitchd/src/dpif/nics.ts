/** NICs of the host that are connected to the switch, over ovs_win_netdev's NIC_* messages. */
import { decodeAttrs } from '@ovs-node/netlink/attr-table';
import { Family, FamilyVersion, McGroup, WIN_NETDEV_ATTRS, WinNetdevCmd } from '@ovs-node/netlink/families';
import type { MsgReader } from '@ovs-node/netlink/messages';
import { type NetlinkSession, nextOfDump } from './session.js';

const HEAD = {
  type: Family.WIN_NETDEV,
  cmd: WinNetdevCmd.NIC_GET,
  version: FamilyVersion.WIN_NETDEV,
  dpIfindex: 0,
} as const;

function nameOf(msg: MsgReader): string {
  return decodeAttrs(WIN_NETDEV_ATTRS, msg.buf, msg.attrs, msg.end).NAME ?? '';
}

/** The OVS-port-names of the NICs that are connected now. */
export async function listNics(session: NetlinkSession): Promise<Set<string>> {
  const names = new Set<string>();
  for await (const part of session.dump(HEAD, () => {})) while (nextOfDump(part)) names.add(nameOf(part));
  return names;
}

/** Calls `changed` after each NIC that connects or leaves, for as long as the session lives. */
export async function watchNics(session: NetlinkSession, changed: () => void): Promise<void> {
  await session.listen(McGroup.NIC, (msg) => {
    if (
      msg.type === Family.WIN_NETDEV &&
      (msg.cmd === WinNetdevCmd.NIC_NEW || msg.cmd === WinNetdevCmd.NIC_DEL)
    )
      changed();
  });
}

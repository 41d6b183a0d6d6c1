/** Random command lines from the tables of fields, actions, errors and versions, whole and with something wrong in them. */
import { FIELDS } from '@ovs-node/flow/fields';
import { encodeActions, encodeInstructions } from '@ovs-node/openflow/actions/codec';
import { fieldCodeName } from '@ovs-node/openflow/actions/subfield';
import { parseActions } from '@ovs-node/openflow/actions/text';
import { ACTIONS } from '@ovs-node/openflow/actions/table';
import { ERRORS } from '@ovs-node/openflow/error-table';
import { FlowGenerator } from '@ovs-node/openflow/testkit/flow-generator';
import type { CommandLine } from './run.js';

const VERSIONS = ['OpenFlow10', 'OpenFlow11', 'OpenFlow12', 'OpenFlow13', 'OpenFlow14', 'OpenFlow15'];
const ALL_VERSIONS = VERSIONS.join(',');
const FORMATS = ['openflow10', 'nxm', 'oxm', 'any', 'OpenFlow10+table_id', 'NXM+table_id', 'OXM-OpenFlow13'];
const KEYWORDS = Object.values(ACTIONS).flatMap((row) => Object.keys(row.parse));
/** Characters that mean something in one place or another. */
const MARKS = `,:=()[]{}<>-+./|!*#"' _~\t0x19afz`.split('');
const NUMBERS = [
  '0',
  '-1',
  '+1',
  '08',
  '0x',
  '1e3',
  '255',
  '256',
  '65535',
  '65536',
  '65280',
  '0xffffff00',
  '4294967295',
  '4294967296',
  '18446744073709551615',
  '18446744073709551616',
  '0x1ffffffffffffffff',
  '0xffffffffffffffffffffffffffffffff',
];
/** Words of flow, group and meter syntax that are no fields and no actions. */
const WORDS =
  'table priority cookie idle_timeout hard_timeout importance out_port out_group send_flow_rem check_overlap reset_counts no_packet_counts no_byte_counts duration n_packets n_bytes actions action drop all any none local controller normal flood in_port ip tcp udp sctp icmp arp rarp ipv6 tcp6 udp6 icmp6 sctp6 mpls mplsm eth group_id type select ff indirect bucket weight watch_port watch_group bucket_id selection_method hash dp_hash fields meter kbps pktps burst stats bands rate burst_size prec_level'.split(
    ' ',
  );

const WITH_TLV = FIELDS.filter((f) => f.nxm ?? f.oxm[0]);

export class CommandGenerator extends FlowGenerator {
  private word(): string {
    const f = this.pick(FIELDS);
    return this.pick([f.name, fieldCodeName(f), this.pick(KEYWORDS), this.pick(KEYWORDS), this.pick(WORDS)]);
  }

  /** `text` with something wrong in it: characters dropped, words doubled or exchanged, numbers out of range. */
  mutate(text: string): string {
    let out = text;
    for (let n = this.pick([1, 1, 1, 2, 3]); n > 0; n--) out = this.mutateOnce(out);
    return out;
  }

  private mutateOnce(text: string): string {
    const at = this.below(text.length + 1);
    const pieces = text.split(/([^\w.]+)/);
    // Pieces of even index are words.
    const i = this.below((pieces.length + 1) >> 1) * 2;
    const replaced = (piece: string, j = i): string => pieces.map((p, k) => (k === j ? piece : p)).join('');
    const between = Math.min(i + 1, pieces.length - 1);
    switch (this.below(13)) {
      case 0:
        return text.slice(0, at) + text.slice(at + 1);
      case 1:
        return text.slice(0, at) + this.pick(MARKS) + text.slice(at);
      case 2:
        return text.slice(0, at) + this.pick(MARKS) + text.slice(at + 1);
      case 3:
        return replaced(`${pieces[i]}${pieces[between]}${pieces[i]}`);
      case 4:
        return replaced('');
      case 5:
        return replaced(this.pick(NUMBERS));
      case 6:
        return replaced(this.word());
      case 7:
        return text.slice(0, at);
      case 8:
        return replaced(this.pick(MARKS), between);
      case 9: {
        const j = this.below((pieces.length + 1) >> 1) * 2;
        return replaced(pieces[j]);
      }
      case 10: {
        const number = pieces.findIndex((p, k) => k >= i && /^(0x)?[0-9a-f]*\d[0-9a-f]*$/.test(p));
        return number < 0 ? replaced(this.pick(NUMBERS)) : replaced(this.pick(NUMBERS), number);
      }
      case 11:
        return `${text}${this.pick([',', ' ', ''])}${this.word()}${this.pick(['', '=', ':', '(', '()', '=1', ':1', '(1)'])}`;
      default:
        return text.slice(0, at) + text.slice(this.below(text.length));
    }
  }

  private maybeMutated(text: string): string {
    return this.below(4) === 0 ? text : this.mutate(text);
  }

  /** An action with arguments that have little to do with it. */
  private oddAction(): string {
    const keyword = this.pick(KEYWORDS);
    const argument = this.pick([
      '',
      ...NUMBERS,
      this.word(),
      `${this.word()}=${this.pick(NUMBERS)}`,
      this.mac(),
      this.ip4(),
      `1,2,3,4,5`,
      `1->${this.word()}`,
      `${this.word()}[]`,
      `${this.word()}[0..${this.below(70)}]->${this.word()}[]`,
    ]);
    return this.pick([
      `${keyword}:${argument}`,
      `${keyword}(${argument})`,
      `${keyword}=${argument}`,
      keyword,
    ]);
  }

  private anyFlow(): string {
    switch (this.below(6)) {
      case 0:
        return `${this.match()},actions=${this.oddAction()}`;
      case 1:
        return `${this.word()}=${this.value(this.pick(FIELDS))},actions=${this.action()}`;
      case 2:
        return `${this.match()},actions=${this.mutate(this.action())}`;
      case 3:
        return `${this.mutate(this.match())},actions=1`;
      default:
        return this.maybeMutated(this.flow());
    }
  }

  private versionOptions(): string[] {
    const version = this.pick([[], ['-O', ALL_VERSIONS], ['-O', ALL_VERSIONS], ['-O', this.pick(VERSIONS)]]);
    const format = this.below(8) === 0 ? ['-F', this.pick(FORMATS)] : [];
    const more = this.pick([[], [], [], [], [], ['-m'], ['-m', '-m', '-m'], ['--color=always']]);
    return [...version, ...format, ...more];
  }

  private bucket(): string {
    const words = [
      this.pick(['', `weight:${this.below(70000)}`, `weight=${this.below(100)}`]),
      this.pick([
        '',
        `watch_port:${this.pick(['1', 'LOCAL', 'any', '0xffffff00'])}`,
        `watch_group:${this.below(99)}`,
      ]),
      this.pick(['', `bucket_id:${this.below(99)}`, `bucket_id=0xffffff0${this.hex(1)}`]),
      this.pick(['', 'actions=']) + this.action(),
      this.pick(['', this.action()]),
    ];
    return words.filter((w) => w !== '').join(',');
  }

  group(): string {
    const words = [
      `group_id=${this.pick(['1', 'all', 'any', `${this.below(1e6)}`, '0xffffff00'])}`,
      `type=${this.pick(['all', 'select', 'indirect', 'ff', 'fast_failover'])}`,
      this.pick(['', '', 'selection_method=hash', 'selection_method=dp_hash']),
      this.pick(['', '', 'selection_method_param=7']),
      this.pick(['', '', `fields=${this.word()}`, `fields(ip_src,${this.word()}=${this.below(300)})`]),
      this.pick(['', '', '', `command_bucket_id=${this.pick(['1', 'first', 'last', 'all', '0xffffff01'])}`]),
      ...Array.from({ length: this.below(4) }, () => `bucket=${this.bucket()}`),
    ];
    return words.filter((w) => w !== '').join(this.pick([',', ',', ' ']));
  }

  meter(): string {
    const band = (): string =>
      `type=${this.pick(['drop', 'dscp_remark'])} rate=${this.below(1e6)}${this.pick(['', ' burst_size=5'])}${this.pick(['', ' prec_level=1'])}`;
    const words = [
      `meter=${this.pick(['1', 'controller', 'slowpath', 'all', `${this.below(1e9)}`])}`,
      this.pick(['kbps', 'pktps', 'kbps', '']),
      this.pick(['', 'burst', 'stats']),
      `${this.pick(['bands=', 'band='])}${Array.from({ length: this.below(3) }, band).join(this.pick([' ', ',']))}`,
    ];
    return words.filter((w) => w !== '').join(this.pick([',', ' ']));
  }

  private hexActions(): CommandLine {
    const version = 1 + this.below(6);
    const instructions = version > 1 && this.below(2) === 0;
    const lines: string[] = [];
    for (let n = 1 + this.below(3); n > 0; n--) {
      let bytes: Uint8Array;
      try {
        const actions = parseActions(this.action());
        bytes = instructions ? encodeInstructions(actions, version) : encodeActions(actions, version);
      } catch {
        continue;
      }
      for (let m = this.below(3); m > 0 && bytes.length > 0; m--) {
        bytes[this.below(bytes.length)] = this.pick([0, 1, 255, this.below(256)]);
      }
      const hex = Buffer.from(bytes).toString('hex');
      lines.push(this.below(20) === 0 ? this.mutate(hex) : hex);
    }
    return {
      args: [instructions ? 'parse-instructions' : 'parse-actions', VERSIONS[version - 1]],
      input: lines.join('\n'),
    };
  }

  private nxMatch(): string {
    const entry = (): string => {
      const f = this.pick(WITH_TLV);
      const digits = f.bytes * 2;
      const name = fieldCodeName(f);
      return this.pick([
        `${name}(${this.hex(digits)})`,
        `${name}(${'0'.repeat(digits - 1)}1)`,
        `${name}_W(${this.hex(digits)}/${this.hex(digits)})`,
        `${this.hex(8)}(${this.hex(4)})`,
      ]);
    };
    return Array.from({ length: 1 + this.below(4) }, entry).join(this.pick([', ', ' ', ',']));
  }

  private nxMatches(): CommandLine {
    const lines = Array.from({ length: 1 + this.below(3) }, () => this.maybeMutated(this.nxMatch()));
    const options = [...this.pick([[], ['-m'], ['--strict']])];
    const command = this.pick([['parse-nxm'], ['parse-oxm', this.pick(VERSIONS)]]);
    return { args: [...options, ...command], input: lines.join('\n') };
  }

  private flowLines(): CommandLine {
    const lines = Array.from(
      { length: 1 + this.below(4) },
      () => this.pick(['', '', 'add ', 'delete ', 'modify_strict ', '  ', '# ', 'nosuch ']) + this.anyFlow(),
    );
    return { args: [...this.versionOptions(), 'parse-flows', '-'], input: lines.join('\n') };
  }

  /** Where the words are read before a switch is looked for: what is wrong with them shows. */
  private offSwitch(): CommandLine {
    const filter = this.maybeMutated(
      [
        this.match(),
        this.pick(['', 'out_port=1', 'out_group=5', 'cookie=5/-1', 'table=3', 'priority=5']),
      ].join(','),
    );
    const v = ['-O', ALL_VERSIONS, '--no-names'];
    return this.pick<() => CommandLine>([
      () => ({ args: [...v, 'dump-flows', 'nobridge', filter] }),
      () => ({ args: [...v, 'dump-aggregate', 'nobridge', filter] }),
      () => ({ args: [...v, ...this.pick([[], ['--strict']]), 'del-flows', 'nobridge', filter] }),
      () => ({ args: [...v, ...this.pick([[], ['--strict']]), 'mod-flows', 'nobridge', this.anyFlow()] }),
      () => ({ args: [...v, 'add-meter', 'nobridge', this.maybeMutated(this.meter())] }),
      () => ({ args: [...v, 'del-meters', 'nobridge', this.maybeMutated(`meter=${this.pick(NUMBERS)}`)] }),
      () => ({ args: [...v, 'meter-stats', 'nobridge', this.maybeMutated('meter=all')] }),
      () => ({ args: [...v, 'insert-buckets', 'nobridge', this.maybeMutated(this.group())] }),
      () => ({ args: [...v, 'remove-buckets', 'nobridge', this.maybeMutated(this.group())] }),
      () => ({ args: [...v, 'mod-group', 'nobridge', this.maybeMutated(this.group())] }),
      () => ({ args: [...v, 'del-groups', 'nobridge', this.maybeMutated('group_id=5')] }),
      () => ({
        args: [
          ...v,
          'packet-out',
          'nobridge',
          this.maybeMutated(`in_port=1,packet=${this.hex(28)},actions=${this.action()}`),
        ],
      }),
      () => ({
        args: [
          ...v,
          'add-tlv-map',
          'nobridge',
          this.maybeMutated(`{class=0xffff,type=${this.below(300)},len=4}->tun_metadata0`),
        ],
      }),
      () => ({ args: [...v, 'ct-flush-zone', 'nobridge', this.maybeMutated(this.pick(NUMBERS))] }),
      () => ({
        args: [
          ...v,
          'ct-flush',
          'nobridge',
          `zone=${this.pick(NUMBERS)}`,
          this.maybeMutated(
            'ct_nw_src=10.1.1.1,ct_nw_dst=10.1.1.2,ct_nw_proto=1,icmp_type=8,icmp_code=0,icmp_id=10',
          ),
        ],
      }),
      () => ({
        args: [
          ...v,
          'mod-table',
          'nobridge',
          this.pick(['1', 'all', 'x', ...NUMBERS]),
          this.maybeMutated('vacancy:20,80'),
        ],
      }),
    ])();
  }

  private helpers(): CommandLine {
    const error = this.pick(Object.keys(ERRORS));
    const hex4 = (): string => this.hex(4);
    return this.pick<() => CommandLine>([
      () => ({ args: ['print-error', this.maybeMutated(error)] }),
      () => ({
        args: ['encode-error-reply', error, `0${this.below(8)}05000800000001${this.hex(2 * this.below(80))}`],
      }),
      () => ({
        args: ['encode-hello', this.pick([...NUMBERS, `0x${this.hex(2)}`, `0x${this.hex(8)}`, this.hex(2)])],
      }),
      () => ({ args: ['check-vlan', hex4(), hex4()] }),
      () => ({
        args: [
          'check-vlan',
          this.pick(['0', '1000', '1005', 'f000']),
          this.pick(['0', '1000', '1fff', 'ffff', 'e000', 'fff']),
        ],
      }),
      () => ({ args: ['parse-key-value', this.mutate(this.flow()), this.mutate(this.match())] }),
      () => ({ args: ['parse-key-value', this.mutate('a=b, c(d),e:f,g=(h,i)j k')] }),
      () => ({
        args: [
          'ofp-print',
          this.maybeMutated(`0${1 + this.below(6)}05000800000001`),
          this.pick(['0', '1', '5', 'x']),
        ],
      }),
    ])();
  }

  /** Words that options could be, in front of a command that needs nothing. */
  private options(): CommandLine {
    const option = (): string[] =>
      this.pick([
        ['-O', this.maybeMutated(this.pick([...VERSIONS, ALL_VERSIONS, '1.3', 'OpenFlow10-OpenFlow13']))],
        ['-F', this.maybeMutated(this.pick(FORMATS))],
        [`--sort=${this.word()}`],
        [`--rsort=${this.word()}`],
        [`--color=${this.pick(['always', 'never', 'auto', 'x', ''])}`],
        ['-P', this.pick(['standard', 'nxt_packet_in', 'openflow10', 'nxm', 'nxt_packet_in2', 'x'])],
        ['-t', this.pick(['0', 'x', '0x', '1e3', '3600', '4294967296', '18446744073709551616', ''])],
        [
          this.mutate(
            this.pick([
              '--strict',
              '--names',
              '--no-stats',
              '--bundle',
              '--read-only',
              '--may-create',
              '--timestamp',
            ]),
          ),
        ],
        ['-m'],
        ['--bundle'],
        ['--read-only'],
      ]);
    const some = Array.from({ length: 1 + this.below(3) }, option).flat();
    const command = this.pick([
      ['parse-flow', 'ip,actions=1'],
      ['show', 'nobridge'],
      ['list-commands'],
      [this.word()],
      ['dump-flows', 'nobridge'],
    ]);
    // What would run, or print where the program was made.
    if (some.some((w) => /^--(m|d|pid|u|unixctl|log|v|l|o)/.test(w))) return { args: command };
    return { args: [...some, ...command] };
  }

  command(): CommandLine {
    switch (this.below(16)) {
      case 0:
        return this.flowLines();
      case 1:
      case 2:
        return { args: [...this.versionOptions(), 'parse-group', this.maybeMutated(this.group())] };
      case 3:
        return { args: ['compose-packet', this.maybeMutated(this.match())] };
      case 4:
        return this.hexActions();
      case 5:
        return this.nxMatches();
      case 6:
      case 7:
        return this.offSwitch();
      case 8:
        return this.helpers();
      case 9:
        return this.options();
      default:
        return { args: [...this.versionOptions(), 'parse-flow', this.anyFlow()] };
    }
  }
}

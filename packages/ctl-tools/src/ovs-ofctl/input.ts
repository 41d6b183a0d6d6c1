/** Files and texts that commands read, bytes in hexadecimal among them; text and bytes as they print them. */
import fs from 'node:fs';
import { byteTextPath } from '@ovs-node/common/byte-text';
import { isOfDirectory } from '@ovs-node/common/errors';
import { plainText, readInput } from '@ovs-node/common/windows-files';
import { ByteText } from '@ovs-node/openflow/shapes/byte-text';
import { MessagePrinter } from '@ovs-node/openflow/shapes/message-printer';
import type { PrintOptions } from '@ovs-node/openflow/text/message';

/** The bytes of a file, whose name is byte text (`-`: standard input); of a directory none. @throws the errno error */
export function readFileOrInput(file: string): Buffer {
  try {
    return file === '-' ? readInput() : fs.readFileSync(byteTextPath(file));
  } catch (e) {
    if (isOfDirectory(e)) return Buffer.alloc(0);
    throw e;
  }
}

/** The text of a file (`-`: standard input), as byte text. @throws the errno error */
export function textOf(file: string): string {
  return plainText(readFileOrInput(file)).toString('latin1');
}

/** Bytes in hexadecimal, with blanks and dots between them; undefined when there is anything else. */
export function hexToBytes(text: string): Uint8Array | undefined {
  if (!/^[ .\t\r\n]*(?:[0-9a-fA-F]{2}[ .\t\r\n]*)*$/.test(text)) return undefined;
  const digits = text.replace(/[ .\t\r\n]/g, '');
  return new Uint8Array(Buffer.from(digits, 'hex'));
}

/** The bytes of a packet in hexadecimal, between which only blanks are allowed. */
export function packetToBytes(text: string): Uint8Array | undefined {
  return text.includes('.') ? undefined : hexToBytes(text);
}

/** Bytes, 16 a line behind their offset, without the characters they stand for. */
export function plainHexDump(bytes: Uint8Array): string {
  let out = '';
  for (let at = 0; at < bytes.length; at += 16) {
    out += at.toString(16).padStart(8, '0').concat(' ');
    for (let i = at; i < Math.min(at + 16, bytes.length); i++) {
      out += `${i === at + 8 ? '-' : ' '}${bytes[i].toString(16).padStart(2, '0')}`;
    }
    out += '\n';
  }
  return out;
}

const OUTPUT_PIECE = 1 << 16;

/** Text for standard output, written in pieces big enough that their number does not count. */
export class TextOutput {
  private text = '';

  add(text: string): void {
    this.text += text;
    if (this.text.length >= OUTPUT_PIECE) this.flush();
  }

  flush(): void {
    if (this.text !== '') process.stdout.write(this.text);
    this.text = '';
  }
}

/** Messages for standard output, as text. */
export class MessageOutput {
  private readonly text = new ByteText(2 * OUTPUT_PIECE);
  private readonly printer: MessagePrinter;

  constructor(options: PrintOptions) {
    this.printer = new MessagePrinter(options);
  }

  /** Text between messages. */
  add(text: string): void {
    this.text.add(text);
  }

  /** Prints the message in `bytes[at..at + length)`. */
  print(bytes: Uint8Array, at = 0, length = bytes.length): void {
    this.printer.print(bytes, at, length, this.text);
    if (this.text.length >= OUTPUT_PIECE) this.flush();
  }

  /**
   * Writes what there is. Mostly the system has it by then, and the next text takes its place: a buffer for each piece
   * of a long table is memory to be mapped in (`npm run bench:openflow`, dump-flows: a fifth of the tool's page faults).
   */
  flush(): void {
    const { text } = this;
    if (text.length === 0) return;
    process.stdout.write(text.borrow());
    if (process.stdout.writableLength === 0) text.clear();
    else text.take();
  }
}

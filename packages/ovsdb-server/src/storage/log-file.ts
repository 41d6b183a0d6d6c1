/**
 * A database log open for appending: the server's file.
 *
 * Appending writes at once (one write call per record, so that a killed process loses nothing it answered) and
 * leaves fsync to `sync`, which many waiting transactions share: while one fsync runs, all that come behind wait
 * for the next one, so the rate of durable transactions is not bound by the disk's latency.
 *
 * A failed append cuts the file back to where it was, so memory and file stay the same thing. Replacing the log
 * (compaction) writes a new file beside it, syncs it, and renames it over the old one: at every moment the name
 * leads to one complete log.
 */
import fs from 'node:fs';
import path from 'node:path';
import { OvsdbError } from 'ovsdb-client/data/error';
import { type FileLock, lockDatabaseFile } from './lock-file.js';
import { LogReader, type LogRecord, encodeRecord, ioError } from './log-reader.js';
import { LogWriter } from './log-writer.js';

/** So often a rewrite follows the records that come while it writes; what is left then is written at once. */
const LATE_ROUNDS = 10;

/** Creates a log with its first records; refuses a file that exists. Throws `OvsdbError`. */
export function createLog(file: string, records: readonly string[], name: string = file): void {
  const lock = lockDatabaseFile(file, name);
  try {
    writeNewLog(file, records, 'wx', name);
  } finally {
    lock.release();
  }
}

/** Writes a whole log and syncs it, without any lock. Throws `OvsdbError`. */
export function writeNewLog(file: string, records: readonly string[], flags: string, name: string): void {
  let fd: number;
  try {
    fd = fs.openSync(file, flags, 0o640);
  } catch (error) {
    throw ioError(`${name}: create failed`, error);
  }
  try {
    for (const record of records) writeFully(fd, encodeRecord(record), null);
    fs.fsyncSync(fd);
  } catch (error) {
    throw ioError(`${name}: write failed`, error);
  } finally {
    fs.closeSync(fd);
  }
  syncDirectory(file);
}

function writeFully(fd: number, bytes: Buffer, position: number | null): void {
  let done = 0;
  while (done < bytes.length) {
    const at = position === null ? null : position + done;
    done += fs.writeSync(fd, bytes, done, bytes.length - done, at);
  }
}

/** Makes a rename or creation itself durable; a directory cannot be synced on Windows. */
function syncDirectory(file: string): void {
  if (process.platform === 'win32') return;
  try {
    const fd = fs.openSync(path.dirname(path.resolve(file)), 'r');
    fs.fsyncSync(fd);
    fs.closeSync(fd);
  } catch {
    // Some file systems refuse; the file itself is synced.
  }
}

export class LogFile {
  readonly name: string;
  readonly #path: string;
  #fd: number;
  #size: number;
  readonly #lock: FileLock;
  /** Bytes the last compaction (or the start) left. */
  baseSize = 0;
  /** Records since then. */
  recordCount = 0;
  /** The rewrite under way, with the records that were appended since it began. */
  #rewriting: { readonly late: Buffer[] } | undefined;
  #starting: Promise<void> | undefined;
  #syncing: Promise<void> | undefined;
  #nextSync: Promise<void> | undefined;

  private constructor(name: string, file: string, fd: number, size: number, lock: FileLock) {
    this.name = name;
    this.#path = file;
    this.#fd = fd;
    this.#size = size;
    this.#lock = lock;
  }

  /**
   * Locks and opens a log, gives each record to `onRecord`, and is then ready to append. What `onRecord` throws, or
   * a damaged record, ends the reading: `onDamage` is told, and the first append cuts the file there. The first
   * record (the schema) must be good; without it the error is thrown.
   */
  static open(
    file: string,
    onRecord: (record: LogRecord, index: number) => void,
    onDamage: (error: OvsdbError) => void,
    name: string = file,
  ): LogFile {
    const real = realPath(file, name);
    const lock = lockDatabaseFile(real, name);
    let reader: LogReader;
    try {
      reader = LogReader.open(real, 'r+', name);
    } catch (error) {
      lock.release();
      throw error;
    }
    let good = 0;
    let index = 0;
    try {
      for (let record = reader.next(); record !== undefined; record = reader.next()) {
        onRecord(record, index++);
        good = reader.goodEnd;
      }
    } catch (error) {
      if (!(error instanceof OvsdbError) || good === 0) {
        reader.close();
        lock.release();
        throw error;
      }
      onDamage(error);
    }
    const logFile = new LogFile(name, real, reader.fd, good, lock);
    logFile.baseSize = good;
    logFile.recordCount = index;
    return logFile;
  }

  /** Bytes of the log. */
  get size(): number {
    return this.#size;
  }

  /** Appends one record. Throws `OvsdbError` (`I/O error`); then nothing was appended. */
  append(json: string): void {
    const bytes = encodeRecord(json);
    try {
      if (this.#damaged) this.#cut();
      writeFully(this.#fd, bytes, this.#size);
    } catch (error) {
      this.#damaged = true;
      throw ioError(`${this.name}: write failed`, error);
    }
    this.#size += bytes.length;
    this.recordCount++;
    this.#rewriting?.late.push(bytes);
  }

  /** The file may hold bytes behind `#size` (a damaged tail, a failed append). */
  #damaged = true;

  #cut(): void {
    fs.ftruncateSync(this.#fd, this.#size);
    this.#damaged = false;
  }

  /**
   * Resolves when everything appended up to now is on the disk; rejects with `OvsdbError` (`I/O error`). Calls
   * made while a sync runs share the next one.
   */
  sync(): Promise<void> {
    if (this.#syncing === undefined) {
      // At the end of this turn of the event loop: transactions that came in one turn share the sync.
      this.#starting ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
        this.#starting = undefined;
        this.#syncing = this.#fsync().finally(() => {
          this.#syncing = undefined;
        });
        return this.#syncing;
      });
      return this.#starting;
    }
    this.#nextSync ??= this.#syncing
      .catch(() => {})
      .then(() => {
        this.#nextSync = undefined;
        return this.sync();
      });
    return this.#nextSync;
  }

  #fsync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#fd, (error) => {
        if (error === null) resolve();
        else reject(ioError(`${this.name}: fsync failed`, error));
      });
    });
  }

  /** Replaces the whole log by these records, atomically and durably. Throws `OvsdbError`; then nothing changed. */
  replace(records: readonly string[]): void {
    const temporary = this.#temporary();
    fs.rmSync(temporary, { force: true });
    writeNewLog(temporary, records, 'wx', temporary);
    let fd: number;
    try {
      fd = fs.openSync(temporary, 'r+');
    } catch (error) {
      throw ioError(`${temporary}: open failed`, error);
    }
    this.#adopt(fd, records.length);
  }

  #temporary(): string {
    return `${this.#path}.tmp`;
  }

  /**
   * Replaces the whole log by a schema record and a snapshot, atomically and durably, while records are appended:
   * those are in the new log, too. Rejects with `OvsdbError` (or with an `Error` when abandoned); then nothing
   * changed.
   *
   *     snapshot, slice by slice ─► temporary file ─► late records, until few ─► the last ones, rename
   *                    (event loop free in between)                              (in one go)
   */
  async rewrite(schema: string, snapshot: Iterable<string>): Promise<void> {
    const rewriting = { late: [] as Buffer[] };
    this.#rewriting = rewriting;
    const temporary = this.#temporary();
    let records = 2;
    let writer: LogWriter | undefined;
    try {
      writer = await LogWriter.create(temporary, () => this.#rewriting === rewriting);
      await writer.write([encodeRecord(schema)]);
      await writer.writeRecord(snapshot);
      await writer.sync();
      for (let rounds = 0; rewriting.late.length > 0 && rounds < LATE_ROUNDS; rounds++) {
        records += rewriting.late.length;
        await writer.write(rewriting.late.splice(0));
        await writer.sync();
      }
      const fd = writer.release();
      if (rewriting.late.length > 0) {
        records += rewriting.late.length;
        writeFully(fd, Buffer.concat(rewriting.late), null);
        fs.fdatasyncSync(fd);
      }
      this.#rewriting = undefined;
      this.#adopt(fd, records);
    } catch (error) {
      if (this.#rewriting === rewriting) this.#rewriting = undefined;
      await writer?.abandon();
      if (error instanceof OvsdbError) throw error;
      throw ioError(`${temporary}: write failed`, error);
    }
  }

  /** Makes a rewrite under way fail. */
  abandonRewrite(): void {
    this.#rewriting = undefined;
  }

  /** Puts the temporary file, open as `fd`, in the place of the log. */
  #adopt(fd: number, records: number): void {
    const temporary = this.#temporary();
    try {
      // Windows does not rename over an open file.
      if (process.platform === 'win32') fs.closeSync(this.#fd);
      fs.renameSync(temporary, this.#path);
    } catch (error) {
      fs.closeSync(fd);
      if (process.platform === 'win32') this.#fd = fs.openSync(this.#path, 'r+');
      throw ioError(`failed to rename "${temporary}" to "${this.#path}"`, error);
    }
    const old = this.#fd;
    this.#fd = fd;
    this.#size = fs.fstatSync(fd).size;
    this.baseSize = this.#size;
    this.recordCount = records;
    this.#damaged = false;
    if (process.platform !== 'win32') {
      // A sync of the old file may be under way; its descriptor must stay valid until then.
      if (this.#syncing === undefined) fs.closeSync(old);
      else void this.#syncing.catch(() => {}).then(() => fs.closeSync(old));
    }
    syncDirectory(this.#path);
  }

  /** Waits for running syncs, closes the file and gives up the lock. */
  async close(): Promise<void> {
    await (this.#nextSync ?? this.#syncing ?? this.#starting)?.catch(() => {});
    fs.closeSync(this.#fd);
    this.#lock.release();
  }
}

function realPath(file: string, name: string): string {
  try {
    return fs.realpathSync(file);
  } catch (error) {
    throw ioError(`${name}: open failed`, error);
  }
}

/** The group table of one bridge: group-mods, each checked whole before it changes anything. */
import { OfError } from '@ovs-node/openflow/errors';
import { type Bucket, BUCKET, type GroupMod } from '@ovs-node/openflow/messages/group-types';
import { descOf, Group } from './group.js';

/** Group numbers end here (OFPG_MAX); this one in a deletion or a query means all. */
export const MAX_GROUP = 0xffffff00;
export const ALL_GROUPS = 0xfffffffc;

/** Who is told of changes. */
export interface GroupObserver {
  /** Look-ups may give other results than before. */
  groupsChanged(): void;
  /** A group went: flows that send to it go too. */
  groupDeleted(id: number, now: number): void;
}

export class GroupTable {
  #groups = new Map<number, Group>();
  /** Somebody remembers the map as it is: what changes is a copy. */
  #isRemembered = false;
  readonly #observer: GroupObserver;

  constructor(observer: GroupObserver) {
    this.#observer = observer;
  }

  get(id: number): Group | undefined {
    return this.#groups.get(id);
  }

  /** By number, the lowest first. `id` is that of one group, or ALL_GROUPS. */
  select(id: number): Group[] {
    if (id !== ALL_GROUPS) {
      const group = this.#groups.get(id);
      return group === undefined ? [] : [group];
    }
    return [...this.#groups.values()].toSorted((a, b) => a.id - b.id);
  }

  /** Remembers the table as it is; the result puts it back. */
  snapshot(): () => void {
    const before = this.#groups;
    this.#isRemembered = true;
    return () => {
      this.#groups = before;
    };
  }

  /** The map to change. */
  #changing(): Map<number, Group> {
    if (this.#isRemembered) this.#groups = new Map(this.#groups);
    this.#isRemembered = false;
    return this.#groups;
  }

  /** Carries a group-mod out. @returns the error to answer with; then nothing has changed. */
  apply(mod: GroupMod, now: number): OfError | undefined {
    if (mod.command === 'delete') return this.#delete(mod.groupId, now);
    const makes = mod.command === 'add' || mod.command === 'add_or_modify';
    if (makes && mod.groupId > MAX_GROUP) return new OfError('OFPGMFC_INVALID_GROUP', `group ${mod.groupId}`);
    const old = this.#groups.get(mod.groupId);
    switch (mod.command) {
      case 'add':
        if (old) return new OfError('OFPGMFC_GROUP_EXISTS', `group ${mod.groupId}`);
        return this.#put(mod, now);
      case 'add_or_modify':
        return this.#put(mod, old?.created ?? now);
      case 'modify':
        if (!old) return new OfError('OFPGMFC_UNKNOWN_GROUP', `group ${mod.groupId}`);
        return this.#put(mod, old.created);
      case 'insert_bucket':
      case 'remove_bucket': {
        if (!old) return new OfError('OFPGMFC_UNKNOWN_GROUP', `group ${mod.groupId}`);
        const buckets = mod.command === 'insert_bucket' ? inserted(old, mod) : removed(old, mod);
        if (buckets instanceof OfError) return buckets;
        return this.#put(
          { ...mod, groupType: old.type, selection: old.selection, buckets },
          old.created,
          old,
        );
      }
    }
  }

  /** @param old whose buckets are among those of the new one. */
  #put(mod: GroupMod, created: number, old?: Group): undefined {
    this.#changing().set(mod.groupId, new Group(descOf(mod), created, old));
    this.#observer.groupsChanged();
  }

  /** Deletes all groups. */
  clear(now: number): void {
    this.#delete(ALL_GROUPS, now);
  }

  #delete(id: number, now: number): undefined {
    const gone = this.select(id);
    if (gone.length === 0) return;
    const groups = this.#changing();
    for (const group of gone) groups.delete(group.id);
    for (const group of gone) this.#observer.groupDeleted(group.id, now);
    this.#observer.groupsChanged();
  }
}

/** The buckets of `group` with the new ones among them. */
function inserted(group: Group, { buckets, commandBucketId }: GroupMod): OfError | Bucket[] {
  const at = group.buckets.findIndex((bucket) => bucket.bucketId === commandBucketId);
  if (at < 0 && commandBucketId <= BUCKET.MAX)
    return new OfError('OFPGMFC_UNKNOWN_BUCKET', `bucket ${commandBucketId}`);
  const taken = buckets.find((bucket) => group.buckets.some((old) => old.bucketId === bucket.bucketId));
  if (taken) return new OfError('OFPGMFC_BUCKET_EXISTS', `bucket ${taken.bucketId}`);
  if (commandBucketId === BUCKET.FIRST) return [...buckets, ...group.buckets];
  // The forms before OpenFlow 1.5 cannot say where, and say ALL.
  if (commandBucketId === BUCKET.LAST || commandBucketId === BUCKET.ALL)
    return [...group.buckets, ...buckets];
  return group.buckets.toSpliced(at + 1, 0, ...buckets);
}

/** The buckets of `group` that stay. */
function removed(group: Group, { commandBucketId }: GroupMod): OfError | Bucket[] {
  switch (commandBucketId) {
    case BUCKET.ALL:
      return [];
    case BUCKET.FIRST:
      return group.buckets.slice(1);
    case BUCKET.LAST:
      return group.buckets.slice(0, -1);
    default: {
      const at = group.buckets.findIndex((bucket) => bucket.bucketId === commandBucketId);
      if (at < 0) return new OfError('OFPGMFC_UNKNOWN_BUCKET', `bucket ${commandBucketId}`);
      return group.buckets.toSpliced(at, 1);
    }
  }
}

import { Match } from '@ovs-node/flow/match';

/** Makes every match in `value` the kind that is two arrays, so that `deepEqual` compares what they say; returns it. */
export function unpacked<T>(value: T): T {
  if (value instanceof Match) void value.key;
  else if (typeof value === 'object' && value !== null)
    for (const each of Object.values(value)) unpacked(each);
  return value;
}

import { defineFaults } from '../../protocol/errors/index.ts';

const faults = defineFaults('SIGNER', {
  badSlot: ['the slot is not a scope followed by positions', 'name slots <group>/<epoch>/<view>/…'],
});

/**
 * A slot is `<scope>/<position>/<position>…`: the scope (a group) never compares with another scope,
 * positions compare as numbers when both are decimal, else as text. A watermark with k positions
 * speaks about the first k positions of a slot, so "g/3/17" closes every slot of epoch 3 below view
 * 17 and of every earlier epoch.
 */
export interface ParsedSlot {
  readonly scope: string;
  readonly positions: readonly string[];
}

const DECIMAL = /^(?:0|[1-9][0-9]*)$/;

/** Throws SIGNER_BAD_SLOT. */
export function parseSlot(slot: string): ParsedSlot {
  const [scope, ...positions] = slot.split('/');
  if (scope === undefined || scope === '' || positions.length === 0 || positions.includes('')) throw faults.badSlot({ slot });
  return { scope, positions };
}

/** True when the slot lies strictly below the watermark, looking at as many positions as it has. */
export function isBelow(positions: readonly string[], watermark: readonly string[]): boolean {
  for (let i = 0; i < watermark.length; i++) {
    const position = positions[i];
    if (position === undefined) return false;
    const order = comparePositions(position, watermark[i] as string);
    if (order !== 0) return order < 0;
  }
  return false;
}

/** The highest slot under `prefix` (`<group>/<epoch>`): its positions after the prefix. */
export function newestOf(slots: Iterable<string>, prefix: string): readonly string[] | undefined {
  let newest: readonly string[] | undefined;
  for (const slot of slots) {
    if (!slot.startsWith(`${prefix}/`)) continue;
    const positions = slot.slice(prefix.length + 1).split('/');
    if (newest === undefined || isBelow(newest, positions)) newest = positions;
  }
  return newest;
}

/** True when `next` closes slots that `current` leaves open. */
export function raises(current: readonly string[], next: readonly string[]): boolean {
  if (isBelow(current, next)) return true;
  return next.length > current.length && current.every((position, i) => position === next[i]);
}

function comparePositions(a: string, b: string): number {
  if (DECIMAL.test(a) && DECIMAL.test(b)) {
    if (a.length !== b.length) return a.length - b.length;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The floors of the house (architecture §2): an arrow may only point down, siblings do not meet. */
export interface Room {
  /** Longest matching prefix of a file's path. */
  readonly folder: string;
  readonly floor: number;
}

const ground = ['types', 'codec', 'crypto', 'hlc', 'limits', 'errors'].map((room) => `protocol/${room}`);
const nouns = ['rows', 'schema', 'state-tree', 'capsule', 'membership'].map((room) => `protocol/${room}`);
const cores = ['consensus', 'sync', 'query', 'poq', 'overlay', 'mx', 'dictionary', 'evidence', 'access', 'rewards', 'metering', 'oracle', 'market'].map(
  (room) => `protocol/${room}`,
);
const adapters = ['storage', 'network', 'chain', 'signer', 'api', 'observe', 'memory', 'crypto', 'clock', 'mx'].map((room) => `node/${room}`);

export const rooms: readonly Room[] = [
  ...ground.map((folder) => ({ folder, floor: 0 })),
  ...nouns.map((folder) => ({ folder, floor: 1 })),
  ...cores.map((folder) => ({ folder, floor: 2 })),
  { folder: 'protocol/cross-group', floor: 2.5 }, // carries proofs of consensus from group to group
  { folder: 'protocol/index.ts', floor: 3 },
  { folder: 'contracts', floor: 3 }, // its TypeScript door only: ABIs and addresses
  { folder: 'node/ports', floor: 3 },
  ...adapters.map((folder) => ({ folder, floor: 4 })),
  { folder: 'node/host', floor: 5 },
  { folder: 'node/config', floor: 5 },
  { folder: 'node', floor: 6 },
  { folder: 'sdk', floor: 6 },
  { folder: 'sdk/operator', floor: 6 },
  { folder: 'sdk/mx', floor: 6 },
  { folder: 'cli', floor: 7 },
  { folder: 'scripts', floor: 8 },
  { folder: 'test/byzantine', floor: 8 }, // misbehaving builds that the demo runs too
  { folder: 'bench', floor: 9 },
  { folder: 'test', floor: 9 },
];

export function roomOf(file: string): Room | undefined {
  let best: Room | undefined;
  for (const room of rooms) {
    const inside = file === room.folder || file.startsWith(`${room.folder}/`);
    if (inside && (best === undefined || room.folder.length > best.folder.length)) best = room;
  }
  return best;
}

/** Rooms on the ground and noun floors may use each other; above that siblings do not meet. */
export const neighbourly = (floor: number): boolean => floor <= 1 || floor >= 8;

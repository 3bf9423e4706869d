import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, copyFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { loadNativeCrypto } from '../../../node/crypto/index.ts';
import { openGuardedSigner, openSigner, type GuardedSigner } from '../../../node/signer/index.ts';
import { addressOf, installCrypto, type CryptoBackend } from '../../../protocol/crypto/index.ts';
import { faultOf, signerConformance, signerDomain, signerKey, slotOf, voteFor } from '../../conformance/signer.ts';
import { CrashingFile } from './crashing-file.ts';

const folders: string[] = [];
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'picolo-signer-'));
  folders.push(folder);
  return folder;
};
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

signerConformance('guard file', (key, domain) => openSigner({ dir: newFolder(), key, domain }));

const base = { key: signerKey, domain: signerDomain };
const guardPath = (dir: string): string => join(dir, 'signer', readdirSync(join(dir, 'signer')).find((n) => n.endsWith('.log')) as string);
const vote = (signer: GuardedSigner, round: number, block: number): Promise<string> =>
  signer.signAt(slotOf(round), 'BlockVote', voteFor(round, block));

describe('signer guard', () => {
  let previous: CryptoBackend;
  before(async () => {
    previous = installCrypto(await loadNativeCrypto()); // thousands of signatures
  });
  after(() => void installCrypto(previous));

  it('remembers across restarts, returns the same signature and still refuses the other', async () => {
    const dir = newFolder();
    const first = await openSigner({ dir, ...base });
    const signature = await vote(first, 1, 7);
    await first.close();
    writeFileSync(join(dir, 'journal'), 'data');
    const second = await openSigner({ dir, ...base });
    expect(second).to.include({ torn: false, slots: 1 });
    expect(await vote(second, 1, 7)).to.equal(signature);
    expect(await faultOf(() => vote(second, 1, 8))).to.equal('SIGNER_WOULD_CONTRADICT');
    await second.close();
    expect(await faultOf(() => vote(second, 2, 1))).to.equal('SIGNER_CLOSED');
  });

  it('writes before a signature leaves, flushes behind it, once for all that was signed meanwhile', async () => {
    const file = new CrashingFile();
    const signer = await openGuardedSigner(file, { ...base, fresh: true });
    await Promise.all(Array.from({ length: 200 }, (_, i) => vote(signer, i, i)));
    expect(file.flushes).to.equal(0);
    await Promise.all([signer.forget('BlockVote', 'other/1'), signer.forget('BlockVote', 'another/1')]);
    expect(file.flushes).to.be.within(1, 2);
    expect((await openGuardedSigner(file.crash(() => 0), base)).slots).to.equal(200);
  });

  it('is in quarantine when there is data but no guard, unless the caller vouches', async () => {
    const dir = newFolder();
    writeFileSync(join(dir, 'instance.lock'), '');
    writeFileSync(join(dir, 'keystore.json'), '');
    await (await openSigner({ dir, ...base })).close();
    rmSync(join(dir, 'signer'), { recursive: true });
    writeFileSync(join(dir, 'ledger.sqlite'), 'rows');
    expect(await faultOf(() => openSigner({ dir, ...base }))).to.equal('SIGNER_GUARD_MISSING');
    await (await openSigner({ dir, ...base, fresh: true })).close();
    const other = { ...base, key: new Uint8Array(32).fill(9) };
    expect(await faultOf(() => openSigner({ dir, ...other }))).to.equal('SIGNER_GUARD_MISSING');
    expect(await faultOf(() => openSigner({ dir: newFolder(), ...base, key: new Uint8Array(32) }))).to.equal('SIGNER_BAD_KEY');
  });

  it('notices a restored copy, and accepts it only when the caller says it was moved', async () => {
    const dir = newFolder();
    const signer = await openSigner({ dir, ...base });
    await vote(signer, 1, 7);
    const path = guardPath(dir);
    copyFileSync(path, `${path}.backup`);
    await vote(signer, 2, 7);
    await signer.close();
    renameSync(`${path}.backup`, path);
    expect(await faultOf(() => openSigner({ dir, ...base }))).to.equal('SIGNER_GUARD_RESTORED');
    const moved = await openSigner({ dir, ...base, moved: true });
    expect(await faultOf(() => vote(moved, 1, 8))).to.equal('SIGNER_WOULD_CONTRADICT');
    await moved.close();
    await (await openSigner({ dir, ...base })).close();
    expect(readdirSync(join(dir, 'signer'))).to.include('CACHEDIR.TAG');
  });

  it('keeps keys and networks apart', async () => {
    const file = new CrashingFile();
    await openGuardedSigner(file, { ...base, fresh: true });
    const elsewhere = { ...signerDomain, chainId: 1n };
    expect(await faultOf(() => openGuardedSigner(file, { ...base, domain: elsewhere }))).to.equal('SIGNER_GUARD_FOREIGN');
    expect(await faultOf(() => openGuardedSigner(file, { ...base, key: new Uint8Array(32).fill(1) }))).to.equal('SIGNER_GUARD_FOREIGN');
  });

  it('tolerates and reports a torn tail, and stops at damage before the tail', async () => {
    const dir = newFolder();
    const signer = await openSigner({ dir, ...base });
    for (const round of [1, 2, 3]) await vote(signer, round, 7);
    await signer.close();
    const path = guardPath(dir);
    const whole = readFileSync(path);
    writeFileSync(path, whole.subarray(0, whole.length - 3));
    const torn = await openSigner({ dir, ...base });
    expect(torn).to.include({ torn: true, slots: 2 });
    await vote(torn, 3, 8);
    await torn.close();
    const healed = await openSigner({ dir, ...base });
    expect(healed).to.include({ torn: false, slots: 3 });
    await healed.close();
    const damaged = readFileSync(path);
    const middle = Math.floor(damaged.length / 3);
    damaged[middle] = (damaged[middle] as number) ^ 1;
    writeFileSync(path, damaged);
    expect(await faultOf(() => openSigner({ dir, ...base }))).to.equal('SIGNER_GUARD_DAMAGED');
  });

  it('returns nothing and signs nothing more once the disk failed', async () => {
    const file = new CrashingFile();
    const signer = await openGuardedSigner(file, { ...base, fresh: true });
    file.failNext = true;
    const [a, b] = await Promise.all([faultOf(() => vote(signer, 1, 1)), faultOf(() => vote(signer, 2, 1))]);
    expect([a, b]).to.deep.equal(['SIGNER_GUARD_FAILED', 'SIGNER_GUARD_FAILED']);
    file.failNext = false;
    expect(await faultOf(() => vote(signer, 1, 1))).to.equal('SIGNER_GUARD_FAILED');
  });

  it('forgets below a watermark, keeps it closed for ever, and counts positions as numbers', async () => {
    const file = new CrashingFile();
    const signer = await openGuardedSigner(file, { ...base, fresh: true });
    const at = (slot: string, block: number): Promise<string> => signer.signAt({ kind: 'BlockVote', slot }, 'BlockVote', voteFor(1, block));
    for (const slot of ['g/1/9/1', 'g/1/10/1', 'g/2/1/1', 'other/1/1/1']) await at(slot, 1);
    await signer.forget('BlockVote', 'g/1/10');
    expect(signer.slots).to.equal(3);
    expect(await faultOf(() => at('g/1/9/1', 1))).to.equal('SIGNER_BELOW_WATERMARK');
    expect(await faultOf(() => at('g/0/99/1', 1))).to.equal('SIGNER_BELOW_WATERMARK');
    expect(await faultOf(() => at('g/1/10/1', 2))).to.equal('SIGNER_WOULD_CONTRADICT');
    await signer.forget('BlockVote', 'g/1/2');
    expect(await faultOf(() => at('g/1/9/2', 1))).to.equal('SIGNER_BELOW_WATERMARK');
    await signer.forget('BlockVote', 'g/2');
    await signer.forget('BlockVote', 'g/2/5');
    await signer.forget('BlockVote', 'g/2');
    expect(signer.slots).to.equal(1);
    const again = await openGuardedSigner(file.crash(() => 0), base);
    expect(again.slots).to.equal(1);
    const retry = (slot: string): Promise<string> => again.signAt({ kind: 'BlockVote', slot }, 'BlockVote', voteFor(1, 3));
    expect(await faultOf(() => retry('g/2/4/1'))).to.equal('SIGNER_BELOW_WATERMARK');
    await retry('g/2/5/1');
    for (const slot of ['', 'g', 'g/', '/1', 'g//1']) expect(await faultOf(() => retry(slot))).to.equal('SIGNER_BAD_SLOT');
  });

  it('compacts the log when most of it is forgotten, without losing anything', async () => {
    const dir = newFolder();
    const signer = await openSigner({ dir, ...base });
    const long = (s: GuardedSigner, round: number): Promise<string> =>
      s.signAt(slotOf(`${round}/${'x'.repeat(450)}`), 'BlockVote', voteFor(round, 1));
    let last = '';
    for (let from = 0; from < 2_000; from += 500) {
      const asked = Array.from({ length: 500 }, (_, i) => long(signer, from + i));
      last = (await Promise.all(asked)).at(-1) as string;
      await signer.forget('BlockVote', `g/1/1/${from + 499}`);
    }
    await long(signer, 2_000);
    expect(readFileSync(guardPath(dir)).length).to.be.below(300_000);
    await signer.close();
    const again = await openSigner({ dir, ...base });
    expect(again).to.include({ torn: false, slots: 2 });
    expect(await long(again, 1_999)).to.equal(last);
    expect(await faultOf(() => long(again, 5))).to.equal('SIGNER_BELOW_WATERMARK');
    await again.close();
  });

  it('does not show its key', async () => {
    const signer = await openGuardedSigner(new CrashingFile(), { ...base, fresh: true });
    const { inspect } = await import('node:util');
    expect(inspect(signer, { depth: 9 })).not.to.match(/5, 5, 5|0505/);
    expect(JSON.stringify({ address: signer.address })).to.include(addressOf(signerKey));
  });

  it('under any interleaving and death of the process, one slot never has two signatures', async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('sign' as const), round: fc.nat(3), block: fc.nat(2) }) },
      { weight: 2, arbitrary: fc.constant({ kind: 'wait' as const }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), round: fc.nat(3) }) },
      { weight: 1, arbitrary: fc.constant({ kind: 'kill' as const }) },
    );
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 30 }), async (steps) => {
      let file = new CrashingFile();
      let signer = await openGuardedSigner(file, { ...base, fresh: true });
      const released = new Map<number, Set<string>>();
      for (const s of steps) {
        if (s.kind === 'sign') {
          vote(signer, s.round, s.block).then((signature) => {
            released.set(s.round, (released.get(s.round) ?? new Set()).add(signature));
          }, () => undefined);
        } else if (s.kind === 'forget') {
          signer.forget('BlockVote', slotOf(s.round).slot).catch(() => undefined);
        } else if (s.kind === 'wait') {
          await new Promise((resolve) => setImmediate(resolve));
          await new Promise((resolve) => setImmediate(resolve));
        } else {
          file = file.kill();
          signer = await openGuardedSigner(file, base);
        }
      }
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      for (const [round, signatures] of released) {
        expect(signatures.size, `round ${round}`).to.equal(1);
        const [only] = signatures;
        const again = await vote(signer, round, 0).catch(() => undefined);
        if (again !== undefined) expect(again).to.equal(only);
      }
    }), { numRuns: 150 });
  });

  it('after power loss it opens, knows everything flushed, and what is readable of the rest; what it lost it reports or never wrote', async () => {
    await fc.assert(fc.asyncProperty(fc.nat(20), fc.nat(20), fc.array(fc.oneof(fc.nat(100), fc.constant(400)), { maxLength: 20 }), async (flushed, written, keeps) => {
      const file = new CrashingFile();
      const signer = await openGuardedSigner(file, { ...base, fresh: true });
      for (let i = 0; i < flushed; i++) await vote(signer, i, 1);
      await signer.forget('BlockVote', 'other/1');
      for (let i = 0; i < written; i++) await vote(signer, flushed + i, 1);
      const again = await openGuardedSigner(file.crash((i) => keeps[i] ?? 0), base);
      for (let i = 0; i < flushed; i++) expect(await faultOf(() => vote(again, i, 2))).to.equal('SIGNER_WOULD_CONTRADICT');
      const whole = keeps.slice(0, written).filter((keep) => keep === 400).length; // a batch of one record has between 100 and 400 bytes
      expect(again.slots).to.be.within(flushed + whole, flushed + written);
      const cut = keeps.slice(0, written).some((keep, i) => keep < 400 && keeps.slice(i, written).some((later) => later > 0));
      if (cut) expect(again.torn).to.equal(true);
    }), { numRuns: 100 });
  });
});

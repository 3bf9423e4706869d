import { expect } from 'chai';
import { Repeats } from '../../../node/host/repeats.ts';
import type { Message } from '../../../protocol/consensus/index.ts';
import { ZERO_HASH } from '../../../protocol/types/index.ts';

const signature = `0x${'11'.repeat(65)}`;
const request = (newView: bigint): Message => ({
  kind: 'viewChange', highQc: null, acked: [], certs: [], entries: [], signature,
  value: { group: ZERO_HASH, epoch: 1n, newView, qcView: 0n, qcRound: 0, qcBlock: ZERO_HASH, ackSeq: 0n, ackHead: ZERO_HASH, ackedRoot: ZERO_HASH },
} as unknown as Message);

describe('messages that are said again', () => {
  it('are encoded once, as long as they are the same', () => {
    const repeats = new Repeats();
    const message = request(3n);
    expect(repeats.bytesOf(message)).to.equal(repeats.bytesOf(message));
    expect(repeats.bytesOf(request(4n))).to.not.deep.equal(repeats.bytesOf(message));
  });

  it('are known by member and by every byte, the newest alone', () => {
    const repeats = new Repeats();
    const [third, fourth] = [3n, 4n].map(request) as [Message, Message];
    const bytes = repeats.bytesOf(third);
    expect(repeats.isRepeat(1, bytes)).to.equal(false);
    repeats.hears(1, third, bytes);
    expect(repeats.isRepeat(1, bytes.slice())).to.equal(true);
    expect(repeats.isRepeat(2, bytes)).to.equal(false);
    const bent = bytes.slice();
    bent[bent.length - 1] = (bent[bent.length - 1] as number) ^ 1;
    expect(repeats.isRepeat(1, bent)).to.equal(false);
    repeats.hears(1, fourth, repeats.bytesOf(fourth));
    expect(repeats.isRepeat(1, bytes)).to.equal(false);
  });

  it('keep nothing of messages that are said once', () => {
    const repeats = new Repeats();
    const bytes = Uint8Array.of(1);
    repeats.hears(1, { kind: 'heartbeat' } as Message, bytes);
    expect(repeats.isRepeat(1, bytes)).to.equal(false);
  });
});

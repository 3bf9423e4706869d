import { expect } from 'chai';
import { createRequests, type Requests } from '../../../node/host/requests.ts';
import { decodeFrame, encodeFrame } from '../../../node/host/frames.ts';
import type { Frame, PeerRequest } from '../../../node/host/frames.ts';
import { hostFaults } from '../../../node/host/faults.ts';
import { ZERO_HASH, type Address } from '../../../protocol/types/index.ts';

const a = `0x${'aa'.repeat(20)}` as Address;
const b = `0x${'bb'.repeat(20)}` as Address;
const realClock = {
  nowMs: () => Date.now(),
  after(delayMs: number, action: () => void) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};
const question: PeerRequest = { kind: 'certified', group: ZERO_HASH };

function pair(serve: (from: Address) => Promise<Uint8Array>, deaf = false): Requests {
  const peers = new Map<Address, Requests>();
  const wire = (from: Address) => (to: Address, frame: Frame) => {
    const copy = decodeFrame(encodeFrame(frame)); // through bytes, as on the wire
    if (deaf || copy.kind === 'consensus') return;
    setImmediate(() => peers.get(to)?.onFrame(from, copy));
  };
  peers.set(a, createRequests(realClock, wire(a), () => Promise.reject(hostFaults.notMember())));
  peers.set(b, createRequests(realClock, wire(b), serve));
  return peers.get(a) as Requests;
}

describe('host: questions between nodes', () => {
  it('an answer reaches the one who asked', async () => {
    const asker = pair(async (from) => Uint8Array.of(from === a ? 7 : 0));
    expect(await asker.ask(b, question, 1_000)).to.deep.equal(Uint8Array.of(7));
  });

  it("a refusal arrives with the peer's code and without a stack", async () => {
    const asker = pair(() => Promise.reject(hostFaults.notMember()));
    const error = await asker.ask(b, question, 1_000).catch((e: unknown) => e as { code: string; message: string });
    expect(error).to.have.property('code', 'HOST_NOT_MEMBER');
  });

  it('a failure inside the peer says nothing of its insides', async () => {
    const asker = pair(() => Promise.reject(new Error('secret path')));
    const error = (await asker.ask(b, question, 1_000).catch((e: unknown) => e)) as Error & { code: string };
    expect(error.code).to.equal('HOST_INTERNAL');
    expect(error.message).not.to.include('secret');
  });

  it('a deaf peer ends in a timeout', async () => {
    const asker = pair(() => Promise.resolve(new Uint8Array()), true);
    const error = await asker.ask(b, question, 5).catch((e: unknown) => e as { code: string });
    expect(error).to.have.property('code', 'HOST_PEER_TIMEOUT');
  });
});

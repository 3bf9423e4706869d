import { expect } from 'chai';
import fc from 'fast-check';
import { frameHeader, FrameReader } from '../../../node/network/frames.ts';
import { FrameQueue } from '../../../node/network/queue.ts';
import { backoffMs } from '../../../node/network/dial.ts';
import { isPicoloError } from '../../../protocol/errors/index.ts';

const frame = fc.uint8Array({ maxLength: 40 });

describe('frames', () => {
  it('survive any cutting of the stream', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 });
    fc.assert(fc.property(fc.array(frame, { maxLength: 12 }), sizes, (frames, cuts) => {
      const stream = Buffer.concat(frames.flatMap((bytes) => [frameHeader(bytes.length), bytes]));
      const reader = new FrameReader(40);
      const got: number[][] = [];
      for (let at = 0, i = 0; at < stream.length; i++) {
        const size = cuts[i % cuts.length] as number;
        reader.push(stream.subarray(at, at + size), (bytes) => got.push([...bytes]));
        at += size;
      }
      expect(got).to.deep.equal(frames.map((bytes) => [...bytes]));
    }));
  });

  it('are refused by their header, before any memory is taken', () => {
    const reader = new FrameReader(1000);
    const seen: number[] = [];
    const push = (): void => reader.push(Buffer.concat([frameHeader(2), Buffer.from('ok'), frameHeader(1001)]), (f) => seen.push(f.length));
    expect(push).to.throw().that.satisfies((error: unknown) => isPicoloError(error) && error.code === 'NETWORK_FRAME_TOO_LARGE');
    expect(seen).to.deep.equal([2]);
  });

  it('arrive as plain byte arrays', () => {
    new FrameReader(10).push(Buffer.concat([frameHeader(1), Buffer.from('x')]), (bytes) => expect(bytes.constructor).to.equal(Uint8Array));
  });
});

describe('frame queue', () => {
  it('keeps the newest frames within its bound, in order', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.boolean()), { maxLength: 200 }), (steps) => {
      const queue = new FrameQueue(100);
      let model: number[] = [];
      let dropped = 0;
      for (const [size, take] of steps) {
        dropped += queue.push(new Uint8Array(size));
        model.push(size);
        while (model.reduce((a, b) => a + b, 0) > 100) model = model.slice(1);
        if (take) expect(queue.shift()?.length).to.equal(model.shift());
        expect(queue.length).to.equal(model.length);
        expect(queue.bytes).to.equal(model.reduce((a, b) => a + b, 0)).and.to.be.at.most(100);
      }
      expect(dropped).to.be.at.least(0);
    }));
  });
});

describe('back-off', () => {
  it('doubles up to its maximum and spreads over the upper half', () => {
    const low = [0, 1, 2, 3, 9, 50].map((attempt) => backoffMs(attempt, 100, 5_000, () => 0));
    const high = [0, 1, 2, 3, 9, 50].map((attempt) => backoffMs(attempt, 100, 5_000, () => 1));
    expect(low).to.deep.equal([50, 100, 200, 400, 2_500, 2_500]);
    expect(high).to.deep.equal([100, 200, 400, 800, 5_000, 5_000]);
  });
});

import { encodeMessage, type Message } from '../../protocol/consensus/index.ts';
import { equalBytes, type ReplicaIndex } from '../../protocol/types/index.ts';

/**
 * Requests for a view are long, and said again until the view opens. To encode, decode and verify each copy would leave a
 * starved machine no time to get there.
 */
export class Repeats {
  private readonly encoded = new WeakMap<Message, Uint8Array>();
  private readonly heard = new Map<ReplicaIndex, Uint8Array>();

  /** Bytes of a message; of one that may be said again they are kept as long as the message is. */
  bytesOf(message: Message): Uint8Array {
    if (message.kind !== 'viewChange' && message.kind !== 'proposal') return encodeMessage(message);
    let bytes = this.encoded.get(message);
    if (bytes === undefined) this.encoded.set(message, (bytes = encodeMessage(message)));
    return bytes;
  }

  /** True for what this member said last, byte by byte: it was taken in then, and says nothing new. */
  isRepeat(from: ReplicaIndex, bytes: Uint8Array): boolean {
    const last = this.heard.get(from);
    return last !== undefined && equalBytes(last, bytes);
  }

  /** A valid message is being taken in. */
  hears(from: ReplicaIndex, message: Message, bytes: Uint8Array): void {
    if (message.kind === 'viewChange') this.heard.set(from, bytes.slice());
  }
}

import type { FaultFacts } from '../../../protocol/errors/index.ts';
import type { QueryJob, QueryOutcome } from './reader.ts';

/** What the node sends to a child; structured clone carries big integers and bytes. */
export interface QuestionMessage {
  readonly id: number;
  readonly job: QueryJob;
}

/** What a child sends back. `broken` is a bug of ours: it goes to the log, not to the client. */
export type ReplyMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly id: number; readonly outcome: QueryOutcome }
  | { readonly kind: 'fault'; readonly id: number; readonly code: string; readonly what: string; readonly todo: string; readonly facts: FaultFacts }
  | { readonly kind: 'broken'; readonly id: number; readonly reason: string };

import { observe, type Access } from '../../protocol/access/index.ts';
import { createMx, encodeMessage, loadOf, nextDeadlineMs, step, type Message, type MxEffect, type MxInput } from '../../protocol/mx/index.ts';
import type { Address } from '../../protocol/types/index.ts';
import { createAlarm } from './alarm.ts';
import { queryOf, type LocalSide } from './local.ts';
import type { MxOptions } from './options.ts';
import type { Peers } from './peers.ts';

/** The MX core with its effects performed: local data, links, the clock and the counts of access levels. */
export interface Engine {
  run(input: MxInput): void;
  status(): { readonly open: number; readonly load: number };
  close(): void;
}

interface Around {
  readonly access: Access;
  readonly local: LocalSide;
  readonly peers: Peers;
  /** Messages for this node's own questions. */
  readonly toSelf: (message: Message) => void;
}

export function createEngine(options: MxOptions, { access, local, peers, toSelf }: Around): Engine {
  const { self, signer, clock, onNotice } = options;
  const mx = createMx({ ...options.mx, self, domain: signer.domain, attest: (value) => signer.sign('MxSend', value) });
  const alarm = createAlarm(clock, () => run({ kind: 'tick', nowMs: clock.nowMs() }));
  let closed = false;

  const run = (input: MxInput): void => {
    if (closed) return;
    step(mx, { kind: 'load', load: options.load?.() ?? 0 });
    for (const effect of step(mx, input)) perform(effect);
    alarm.set(nextDeadlineMs(mx));
  };

  const perform = (effect: MxEffect): void => {
    switch (effect.kind) {
      case 'send': return send(effect.to, effect.message);
      case 'evaluate': return evaluate(effect);
      case 'cancel': return local.cancel(effect.transaction);
      case 'observed':
        observe(access, effect.peer, effect.seen, clock.nowMs());
        onNotice?.(effect);
    }
  };

  const send = (to: Address, message: Message): void => {
    if (to === self) return toSelf(message);
    if (peers.send(to, encodeMessage(message))) return;
    clock.after(0, () => run({ kind: 'peerLost', peer: to, nowMs: clock.nowMs() })); // the step at hand has to finish first
  };

  const evaluate = ({ transaction, request, from, listed, want }: Extract<MxEffect, { kind: 'evaluate' }>): void => {
    local.evaluate(transaction, request, listed, want, (answer) => {
      const nowMs = clock.nowMs();
      const query = request.kind === 'get' ? queryOf(request) : undefined;
      const neighbours = request.hops > 0 ? peers.choose(query, { from, client: request.ask.client }, nowMs) : [];
      run({ kind: 'answered', transaction, ...answer, neighbours, nowMs });
    });
  };

  return {
    run,
    status: () => ({ open: mx.open.size, load: loadOf(mx) }),
    close() {
      closed = true;
      alarm.set(undefined);
    },
  };
}

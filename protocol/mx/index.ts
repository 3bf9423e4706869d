/**
 * The message exchange between strangers' databases (Picolo §7, docs/spec/mx.md): PUT, GET, SEND, END, CLOSE,
 * OK and ERROR. A client signs what it asks, a node answers from its own data first, passes the request on
 * while hops are left, and every row comes back under its origin's signature. The cores know no transport,
 * clock or key store: a node runs `step`, a data consumer runs `clientStep`.
 *
 * @example
 *   const mx = createMx({ self, domain, attest: (value) => signer.sign('MxSend', value) });
 *   for (const effect of step(mx, { kind: 'message', from, message, admitted, nowMs })) perform(effect);
 *
 *   const prepared = prepareGet({ client, nonce: 1n, query, hops: 3, results: 100, mode: 'pull', expiresAtMs });
 *   const message = getMessage(prepared, wallet.sign('MxAsk', prepared.toSign));
 *   openSession(consumer, message);
 *   for (const event of clientStep(consumer, decodeMessage(frame))) show(event);
 */
export { mxFaults } from './faults.ts';
export {
  decodeMessage, encodeMessage, endReasons, errorCodes, messageC, modes, outcomes, type End, type EndReason, type ErrorCode,
  type Get, type GetAsk,
  type Message, type Mode, type Outcome, type Part, type Put, type PutAsk, type Receipt, type Send,
} from './messages.ts';
export { askIsAuthentic, getMessage, prepareGet, preparePut, putMessage, transactionOf, type PreparedAsk } from './asks.ts';
export { cutPart, partIsAuthentic, receiptIsAuthentic, rowDigest, signPart, signReceipt, type Answer, type Attest } from './provenance.ts';
export {
  createMx, hopsAllowed, loadOf, nextDeadlineMs, type Mx, type MxConfig, type MxEffect, type MxInput, type Observed,
} from './state.ts';
export { step } from './step.ts';
export {
  clientStep, closeSession, createMxClient, openSession, type ClientEvent, type ContestedRow, type Ending, type MxClient,
} from './client.ts';
export { answerChallenge, challengeFrame, checkHello, checkWelcome, helloFrame, welcomeFrame, type Dialled } from './hello.ts';

/**
 * Questions and verified answers (architecture §4 "A read"; P-1-poison-detect, P-6.1-cpoq). The wire
 * shapes that a node's API and the SDK share, and the pure checks that turn a node's signed answer
 * into a proven row, a proven absence, a proven range, or a lie with the evidence for it.
 */
export * from './wire/index.ts';
export { apiFaults, httpStatusOf } from './faults.ts';

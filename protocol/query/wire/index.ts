export { bool, embedded, hash32, hexBytes, address, scalar, signature, text, timestamp, u256, u32, u64, type JsonSchema, type Shape, type Shaped } from './shape.ts';
export { list, nullable, optional, record, struct, word } from './compose.ts';
export * from './reads.ts';
export * from './statements.ts';
export * from './service.ts';
export * from './oracle.ts';
export { operations, type AnswerOf, type Operation, type OperationName, type RequestOf, type Submission } from './operations.ts';

import { list as listC, nullable as nullableC, record as recordC, structs, type StructName, type StructValue } from '../../codec/index.ts';
import { address, hash32, timestamp, u256, u32, u64, wrongShape, type Shape } from './shape.ts';

export function list<T>(item: Shape<T>, maxItems: number): Shape<readonly T[]> {
  return {
    ...listC(item, maxItems),
    toJson: (values) => values.map((value) => item.toJson(value)),
    fromJson(raw) {
      if (!Array.isArray(raw) || raw.length > maxItems) throw wrongShape(`a list of at most ${maxItems}`, raw);
      return raw.map((entry) => item.fromJson(entry));
    },
    schema: { type: 'array', items: item.schema, maxItems },
  };
}

export function nullable<T>(inner: Shape<T>): Shape<T | null> {
  return {
    ...nullableC(inner),
    toJson: (value) => (value === null ? null : inner.toJson(value)),
    fromJson: (raw) => (raw === null ? null : inner.fromJson(raw)),
    schema: { anyOf: [inner.schema, { type: 'null' }] },
  };
}

/** A field that JSON requests may leave out; CBOR always carries it. */
export function optional<T>(inner: Shape<T>, absent: T): Shape<T> {
  return { ...inner, absent };
}

/** One of a few words. */
export function word<const W extends string>(...words: readonly W[]): Shape<W> {
  const check = (raw: unknown): W => {
    if (typeof raw !== 'string' || !words.includes(raw as W)) throw wrongShape(words.join(' | '), raw);
    return raw as W;
  };
  return { exact: true, toCbor: (value) => value, fromCbor: check, toJson: (value) => value, fromJson: check, schema: { type: 'string', enum: [...words] } };
}

type Fields = Readonly<Record<string, Shape<any>>>;
type RecordOf<F extends Fields> = { readonly [K in keyof F]: F[K] extends Shape<infer T> ? T : never };

/** An object in JSON, an array in declared order in CBOR. Unknown JSON fields are refused: they are typing errors. */
export function record<F extends Fields>(fields: F): Shape<RecordOf<F>> {
  const entries = Object.entries(fields);
  return {
    ...(recordC(fields) as Shape<RecordOf<F>>),
    toJson: (value) => Object.fromEntries(entries.map(([name, shape]) => [name, shape.toJson((value as Record<string, unknown>)[name])])),
    fromJson(raw) {
      if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw wrongShape(`an object with ${Object.keys(fields).join(', ')}`, raw);
      const unknown = Object.keys(raw).find((name) => !Object.hasOwn(fields, name));
      if (unknown !== undefined) throw wrongShape(`no field "${unknown.slice(0, 40)}"`, raw);
      return Object.fromEntries(entries.map(([name, shape]) => [name, field(name, shape, raw as Record<string, unknown>)])) as RecordOf<F>;
    },
    schema: {
      type: 'object',
      properties: Object.fromEntries(entries.map(([name, shape]) => [name, shape.schema])),
      required: entries.filter(([, shape]) => shape.absent === undefined).map(([name]) => name),
      additionalProperties: false,
    },
  };
}

function field(name: string, shape: Shape<unknown>, raw: Record<string, unknown>): unknown {
  if (Object.hasOwn(raw, name)) return shape.fromJson(raw[name]);
  if (shape.absent === undefined) throw wrongShape(`field "${name}"`, undefined);
  return shape.absent;
}

const fieldShapes: Readonly<Record<string, Shape<any>>> = {
  bytes32: hash32, address, uint32: u32, uint64: u64, uint96: timestamp, uint128: u256, uint256: u256,
};

/** The shape of an EIP-712 struct, from its one definition in codec. */
export function struct<N extends StructName>(name: N): Shape<StructValue<N>> {
  const fields = structs[name] as readonly (readonly [string, string])[];
  return record(Object.fromEntries(fields.map(([key, type]) => [key, fieldShapes[type] as Shape<unknown>]))) as unknown as Shape<StructValue<N>>;
}

/**
 * Functions that give the same result on every replica: no clock, no randomness, no access to the
 * connection, the file system or SQLite's own tables. Logarithms, powers and trigonometry are
 * left out because they come from the C library of each machine.
 */
const scalar = [
  'abs', 'char', 'coalesce', 'concat', 'concat_ws', 'format', 'glob', 'hex', 'if', 'ifnull', 'iif', 'instr', 'length', 'like', 'likelihood', 'likely',
  'lower', 'ltrim', 'max', 'min', 'nullif', 'octet_length', 'printf', 'quote', 'replace', 'round', 'rtrim', 'sign', 'substr', 'substring', 'trim',
  'typeof', 'unhex', 'unicode', 'unlikely', 'upper', 'ceil', 'ceiling', 'floor', 'trunc', 'mod', 'sqrt', 'pi',
];
const aggregate = ['avg', 'count', 'group_concat', 'string_agg', 'sum', 'total'];
const window = [
  'row_number', 'rank', 'dense_rank', 'percent_rank', 'cume_dist', 'ntile', 'lag', 'lead', 'first_value', 'last_value', 'nth_value',
];
const json = [
  'json', 'json_array', 'json_array_length', 'json_extract', 'json_group_array', 'json_group_object', 'json_insert', 'json_object', 'json_patch',
  'json_quote', 'json_remove', 'json_replace', 'json_set', 'json_type', 'json_valid', '->', '->>',
];

/** Deterministic once the word 'now' is refused; `installClockFunctions` puts them behind that check. */
export const clockFunctions = ['date', 'time', 'datetime', 'julianday', 'unixepoch', 'strftime', 'timediff'] as const;

export const tableFunctions: ReadonlySet<string> = new Set(['json_each', 'json_tree']);

export const allowedFunctions: ReadonlySet<string> = new Set([...scalar, ...aggregate, ...window, ...json, ...clockFunctions]);

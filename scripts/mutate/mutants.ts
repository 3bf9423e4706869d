import type { SolidityOutput } from './compile.ts';

/** One replacement in a source file, in bytes. */
export interface Mutant {
  readonly file: string;
  readonly line: number;
  /** The function, modifier or constructor around it; of a declaration nothing. */
  readonly within: string;
  readonly kind: string;
  readonly start: number;
  readonly length: number;
  readonly from: string;
  readonly to: string;
}

interface Node {
  readonly nodeType: string;
  readonly src: string;
  readonly [key: string]: unknown;
}

const COMPARISONS: Readonly<Record<string, string>> = { '<': '<=', '<=': '<', '>': '>=', '>=': '>', '==': '!=', '!=': '==' };
const ARITHMETIC: Readonly<Record<string, string>> = { '+': '-', '-': '+', '*': '/', '/': '*', '&&': '||', '||': '&&', '<<': '>>', '>>': '<<' };

/** Every small fault of one file: comparisons, operators, refusals that never happen, effects that are left out, modifiers, numbers. */
export function mutantsOf(file: string, source: string, output: SolidityOutput): Mutant[] {
  const bytes = Buffer.from(source);
  const found: Mutant[] = [];
  const functions: { readonly name: string; readonly start: number; readonly end: number }[] = [];
  const add = (kind: string, start: number, length: number, to: string): void => {
    const from = bytes.subarray(start, start + length).toString();
    const line = bytes.subarray(0, start).toString().split('\n').length;
    const within = functions.find((each) => each.start <= start && start < each.end)?.name ?? '';
    found.push({ file, line, within, kind, start, length, from, to });
  };
  walk(output.sources[file]?.ast, (node) => {
    const [start, length] = place(node);
    const text = (of: unknown): string => {
      const [at, size] = place(of as Node);
      return bytes.subarray(at, at + size).toString();
    };
    if (node.nodeType === 'FunctionDefinition' || node.nodeType === 'ModifierDefinition') {
      functions.push({ name: (node['name'] as string) || (node['kind'] as string), start, end: start + length });
    } else if (node.nodeType === 'BinaryOperation') {
      const operator = node['operator'] as string;
      const [left, right] = [text(node['leftExpression']), text(node['rightExpression'])];
      const other = COMPARISONS[operator] ?? ARITHMETIC[operator];
      if (other !== undefined) add('operator', start, length, `(${left} ${other} ${right})`);
      if (operator === '-' || operator === '/') add('operands', start, length, `(${right} ${operator} ${left})`);
    } else if (node.nodeType === 'IfStatement' && /^\{?\s*revert/.test(text(node['trueBody']))) {
      const [at, size] = place(node['condition'] as Node);
      add('refusal', at, size, 'false');
    } else if (node.nodeType === 'ExpressionStatement' && isEffect(node['expression'] as Node)) {
      add('effect', start, bytes[start + length] === 0x3b ? length + 1 : length, '');
    } else if (node.nodeType === 'ModifierInvocation' && node['kind'] === 'modifierInvocation') {
      add('modifier', start, length, '');
    } else if (node.nodeType === 'Literal' && node['kind'] === 'number' && /^[0-9_]+$/.test(text(node))) {
      add('number', start, length, `(${text(node)} + 1)`);
    }
  });
  return found;
}

/** Assignments, counters, deletions and calls of internal functions that return nothing. */
function isEffect(expression: Node): boolean {
  if (expression.nodeType === 'Assignment') return true;
  if (expression.nodeType === 'UnaryOperation') return ['++', '--', 'delete'].includes(expression['operator'] as string);
  return expression.nodeType === 'FunctionCall' && (expression['typeDescriptions'] as { typeString: string }).typeString === 'tuple()';
}

function place(node: Node): [start: number, length: number] {
  const [start, length] = node.src.split(':').map(Number);
  return [start as number, length as number];
}

function walk(value: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const each of value) walk(each, visit);
  } else if (typeof value === 'object' && value !== null) {
    if ('nodeType' in value && 'src' in value) visit(value as Node);
    for (const each of Object.values(value)) walk(each, visit);
  }
}

/** Names a fault in a way that stays when the lines above it move. */
export function labelOf({ file, within, kind, from, to }: Mutant): string {
  const plain = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, 100);
  const name = file.replace(/^contracts\//, '').replace(/\.sol$/, '');
  return `${name} ${within} ${kind}: ${plain(from)} -> ${to === '' ? 'nothing' : plain(to)}`;
}

/** House rules of Solidity, read from the syntax trees that the compiler wrote beside the artifacts (decision 0145). */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

interface Node {
  readonly nodeType: string;
  readonly id: number;
  readonly src: string;
  readonly name?: string;
  readonly kind?: string;
  readonly visibility?: string;
  readonly documentation?: { readonly text: string };
  readonly [key: string]: unknown;
}

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const artifacts = join(root, 'artifacts');

/** Trees of everything under contracts/, by source file, of the build that the artifacts are from. */
function trees(): ReadonlyMap<string, Node> {
  const builds = new Map<string, Record<string, { readonly ast: Node }>>();
  const found = new Map<string, Node>();
  const files = readdirSync(join(artifacts, 'contracts'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
  for (const file of files) {
    const { buildInfoId, inputSourceName } = JSON.parse(readFileSync(join(artifacts, 'contracts', file), 'utf8')) as Record<string, string>;
    if (!builds.has(buildInfoId!)) {
      const text = readFileSync(join(artifacts, `build-info/${buildInfoId}.output.json`), 'utf8');
      builds.set(buildInfoId!, (JSON.parse(text) as { output: { sources: Record<string, { readonly ast: Node }> } }).output.sources);
    }
    found.set(inputSourceName!.replace(/^project\//, ''), builds.get(buildInfoId!)![inputSourceName!]!.ast);
  }
  return found;
}

function* nodesOf(value: unknown): Generator<Node> {
  if (Array.isArray(value)) {
    for (const each of value) yield* nodesOf(each);
  } else if (typeof value === 'object' && value !== null) {
    if ('nodeType' in value) yield value as Node;
    for (const each of Object.values(value)) yield* nodesOf(each);
  }
}

const CONSTANT = /^[A-Z][A-Z0-9_]*$/;
const PUBLIC_WORD = /^[a-z][A-Za-z0-9]*$/;
const OWN_WORD = /^_[a-z][A-Za-z0-9]*$/;
/** Names that a standard gives. */
const STANDARD = new Set(['CLOCK_MODE']);
/** A value of a field that holds when no other does: named beside the others, compared nowhere. */
const REST = new Set(['FORM_ABSENT']);

function badName(node: Node): boolean {
  const name = node.name ?? '';
  switch (node.nodeType) {
    case 'ContractDefinition': return !(node['contractKind'] === 'interface' ? /^I[A-Z]/ : /^[A-Z]/).test(name);
    case 'StructDefinition': case 'EnumDefinition': case 'ErrorDefinition': case 'EventDefinition': return !/^[A-Z][A-Za-z0-9]*$/.test(name);
    case 'ModifierDefinition': return !PUBLIC_WORD.test(name);
    case 'FunctionDefinition':
      // in an interface a constant of the implementation is a function
      if (node['implemented'] !== true && node['stateMutability'] === 'view' && CONSTANT.test(name)) return false;
      return node.kind === 'function' && !STANDARD.has(name) && !PUBLIC_WORD.test(name) && !OWN_WORD.test(name);
    case 'VariableDeclaration':
      if (node['stateVariable'] !== true) return name !== '' && !/^_?[a-z][A-Za-z0-9]*_?$/.test(name);
      if (node['constant'] === true) return !CONSTANT.test(name);
      if (node['mutability'] === 'immutable') return !(node.visibility === 'public' ? CONSTANT : /^_?[A-Za-z][A-Za-z0-9_]*$/).test(name);
      return !(node.visibility === 'public' ? PUBLIC_WORD : OWN_WORD).test(name);
    default: return false;
  }
}

/** Whoever calls from outside can read what it does; a function of an interface may say it where it is implemented. */
function undocumented(node: Node): boolean {
  const open = node.visibility === 'external' || node.visibility === 'public';
  const counts = node.nodeType === 'ContractDefinition' || (node.nodeType === 'FunctionDefinition' && open && node['implemented'] === true && node.kind === 'function')
    || (node.nodeType === 'VariableDeclaration' && node['stateVariable'] === true && node.visibility === 'public');
  return counts && !/@notice|@inheritdoc|@title/.test(node.documentation?.text ?? '');
}

/** Failures carry a type and values; the origin of a transaction is nobody's authority; nothing destroys itself. */
function forbidden(node: Node): boolean {
  const called = node['expression'] as Node | undefined;
  if (node.nodeType === 'FunctionCall') return ['require', 'assert', 'revert', 'selfdestruct'].includes(called?.name ?? '');
  return node.nodeType === 'MemberAccess' && node['memberName'] === 'origin' && called?.name === 'tx';
}

describe('house rules of Solidity', () => {
  const sources = trees();
  const all = [...sources].map(([file, tree]) => ({ file, nodes: [...nodesOf(tree)] }));
  const breaches = (breaks: (node: Node) => boolean): string[] =>
    all.flatMap(({ file, nodes }) => nodes.filter(breaks).map((node) => `${file}: ${node.nodeType} ${node.name ?? node.src}`));

  it('sees every contract', () => {
    expect(sources.size).to.be.greaterThan(50);
    expect(all.flatMap(({ nodes }) => nodes).length).to.be.greaterThan(10_000);
  });

  it('names say what they name', () => expect(breaches(badName)).to.deep.equal([]));

  it('every contract and everything that others may call has a notice', () => expect(breaches(undocumented)).to.deep.equal([]));

  it('failures are typed; no authority from tx.origin, no selfdestruct', () => expect(breaches(forbidden)).to.deep.equal([]));

  it('one compiler: the exact version', () => {
    for (const { file, nodes } of all) {
      const pragma = nodes.find(({ nodeType }) => nodeType === 'PragmaDirective')?.['literals'] as string[];
      expect(pragma.join(''), file).to.equal('solidity0.8.37');
    }
  });

  it('nothing is private that nobody uses', () => {
    const unused = all.flatMap(({ file, nodes }) => {
      const used = new Set(nodes.map((node) => node['referencedDeclaration']));
      const own = nodes.filter(({ visibility, nodeType }) => visibility === 'private' && (nodeType === 'FunctionDefinition' || nodeType === 'VariableDeclaration'));
      return own.filter(({ id, name }) => !used.has(id) && !REST.has(name ?? '')).map(({ name }) => `${file}: ${name}`);
    });
    expect(unused).to.deep.equal([]);
  });
});

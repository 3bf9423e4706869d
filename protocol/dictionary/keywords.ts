import type { Term } from './query.ts';

/** How well a word of the asker names a thing of the provider: 1 its own name … 0 not at all. */
export type Quality = number;

const OWN_NAME: Quality = 1;
const DECLARED: Quality = 0.9;
const PLURAL: Quality = 0.8;
const ASKERS_SYNONYM: Quality = 0.9;

/** `Last_Name`, `lastName` and `last name` are one word. */
export function normalise(word: string): string {
  return word.normalize('NFKC').toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

/** A normalised word without its English plural ending: users and user meet, address stays. */
export function singular(word: string): string {
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  if (word.length > 3 && word.endsWith('s') && !word.endsWith('ss')) return word.slice(0, -1);
  return word;
}

/** Something with a name of its own and keywords its owner declared for it (Picolo §5.4.1). */
export interface Named {
  readonly name: string;
  readonly keywords: readonly string[];
}

/** Best match of any word of the term with the name or any keyword (P-5.4.1-reformulate). */
export function matchTerm(term: Term, target: Named): Quality {
  let best = 0;
  term.forEach((word, i) => {
    const factor = i === 0 ? 1 : ASKERS_SYNONYM;
    best = Math.max(best, factor * matchWord(word, target));
  });
  return best;
}

function matchWord(word: string, target: Named): Quality {
  const asked = normalise(word);
  if (asked === '') return 0;
  const name = normalise(target.name);
  if (asked === name) return OWN_NAME;
  const declared = target.keywords.map(normalise);
  if (declared.includes(asked)) return DECLARED;
  const folded = singular(asked);
  return [name, ...declared].some((own) => singular(own) === folded) ? PLURAL : 0;
}

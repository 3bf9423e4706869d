import { wordsOf, type Dictionary } from './dictionary.ts';
import { similarity } from './reformulate.ts';

/** A node near in meaning, with how near. */
export interface Member<Id> {
  readonly id: Id;
  readonly similarity: number;
}

/**
 * The semantic group of a node (Picolo Def. 6.1, P-5.4.1-clustering, P-6.3.2-group): the known nodes whose
 * dictionaries share enough words with its own, nearest first. It has no roll and no leader; it is
 * computed again whenever a dictionary changes, so membership follows the data.
 * @param threshold least similarity, in [0, 1], of a member
 */
export function semanticGroup<Id>(
  own: Dictionary, known: ReadonlyMap<Id, Dictionary>, options: { readonly threshold: number; readonly maxMembers: number },
): Member<Id>[] {
  const words = wordsOf(own);
  const members: Member<Id>[] = [];
  for (const [id, dictionary] of known) {
    const near = similarity(words, wordsOf(dictionary));
    if (near >= options.threshold && near > 0) members.push({ id, similarity: near });
  }
  return members.sort((a, b) => b.similarity - a.similarity).slice(0, options.maxMembers);
}

import { defineFaults } from '../errors/index.ts';

export const crossGroupFaults = defineFaults('CROSS_GROUP', {
  badPlan: ['the plan is not one of several groups', 'name two groups or more, every database once, in ascending order of their ids'],
  badLeaf: ['a leaf of a decision or of a mark does not say what such a leaf says', 'ask another member for this part of the state'],
  notPlanned: ['the plan does not name this database', 'prepare each part under the plan it was signed for'],
});

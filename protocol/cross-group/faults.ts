import { defineFaults } from '../errors/index.ts';

export const crossGroupFaults = defineFaults('CROSS_GROUP', {
  badPlan: ['the plan is not one of several groups', 'name two groups or more, every database once, in ascending order of their ids'],
  notPlanned: ['the plan does not name this database', 'prepare each part under the plan it was signed for'],
});

import { expect } from 'chai';
import fc from 'fast-check';
import { decode, encode } from '../../../protocol/codec/index.ts';
import {
  defineDictionary, dictionaryC, dictionaryOfRows, expand, matchTerm, normalise, parseQuery, queryC, reformulate, rowsOfDictionary,
  semanticGroup,
  type Dictionary, type Query,
} from '../../../protocol/dictionary/index.ts';

/** The example of Picolo §5.4.1. */
const users = defineDictionary({
  users: {
    keywords: ['user', 'people', 'customer', 'profile'],
    columns: {
      username: ['name'], firstname: ['fn', 'f_name', 'first_name'], lastname: ['ln', 'l_name', 'last_name'], email: ['id', 'contact'],
    },
  },
});
const single = (table: string, ...columns: string[]): Dictionary =>
  defineDictionary({ [table]: { columns: Object.fromEntries(columns.map((column) => [column, []])) } });
const ask = (sql: string, ...params: Parameters<typeof parseQuery>[1] & {}): Query => parseQuery(sql, params).query;

describe('dictionary: what is exported', () => {
  it('P-5.4.1-dictionary: the users table of the paper travels as rows and comes back the same', () => {
    expect(rowsOfDictionary(users)).to.deep.include(['users', null, 'user,people,customer,profile']);
    expect(rowsOfDictionary(users)).to.deep.include(['users', 'lastname', 'ln,l_name,last_name']);
    expect(dictionaryOfRows(rowsOfDictionary(users))).to.deep.equal(users);
    expect(decode(dictionaryC, encode(dictionaryC, users))).to.deep.equal(users);
  });

  it('P-5.4.1-private: reserved names and empty exports are refused, rows that are no dictionary too', () => {
    expect(() => single('_schema', 'a')).to.throw('DICTIONARY_BAD_NAME');
    expect(() => defineDictionary({ users: { columns: {} } })).to.throw('DICTIONARY_NO_COLUMNS');
    expect(() => single('t', 'a', 'A')).to.throw('DICTIONARY_TWICE');
    expect(() => defineDictionary({ t: { keywords: ['--'], columns: { a: [] } } })).to.throw('DICTIONARY_BAD_NAME');
    expect(() => dictionaryOfRows([['users', 'lastname', '']])).to.throw('DICTIONARY_BAD_ROWS');
    expect(() => dictionaryOfRows([[1n, null, '']])).to.throw('DICTIONARY_BAD_ROWS');
  });

  it('one word however it is written, and plurals meet', () => {
    expect(['Last_Name', 'lastName', 'last name', 'LASTNAME'].map(normalise)).to.deep.equal(Array(4).fill('lastname'));
    const city = { name: 'city', keywords: ['town'] };
    const terms = [['city'], ['TOWN'], ['cities'], ['place', 'town'], ['address']];
    expect(terms.map((term) => matchTerm(term, city))).to.deep.equal([1, 0.9, 0.8, 0.81, 0]);
  });
});

describe('dictionary: reformulation', () => {
  it('P-5.4.1-reformulate: a lastname query matches columns named ln, l_name and last_name elsewhere', () => {
    const query = expand(ask('SELECT lastname FROM users'), users); // the asker's own keywords travel with it
    for (const [table, column] of [['users', 'ln'], ['people', 'l_name'], ['customers', 'last_name']] as const) {
      expect(reformulate(query, single(table, 'age', column), 5)).to.deep.include({
        sql: `SELECT "${column}" FROM "${table}" LIMIT ?`, params: [5n], columns: [column], table,
      });
    }
  });

  it('P-5.4.1-reformulate: the provider\'s keywords work the other way round, conditions included', () => {
    const query = ask('SELECT l_name, contact FROM customer WHERE fn = ? AND id LIKE \'%@x\' AND name IS NOT NULL', 'Ann');
    expect(reformulate(query, users, 10)).to.deep.include({
      sql: 'SELECT "lastname", "email" FROM "users" WHERE "firstname" = ? AND "email" LIKE ? AND "username" IS NOT NULL LIMIT ?',
      params: ['Ann', '%@x', 10n],
    });
  });

  it('no match without the entity, without every condition, or without any asked column', () => {
    expect(reformulate(ask('SELECT lastname FROM orders'), users, 1)).to.equal(undefined);
    expect(reformulate(ask('SELECT lastname FROM users WHERE salary > 3'), users, 1)).to.equal(undefined);
    expect(reformulate(ask('SELECT salary FROM users'), users, 1)).to.equal(undefined);
  });

  it('a column that a schema lacks comes back as NULL in its place and lowers the quality', () => {
    const partial = reformulate(ask('SELECT salary, lastname FROM users'), users, 1);
    const whole = reformulate(ask('SELECT lastname FROM users'), users, 1);
    expect(partial?.sql).to.equal('SELECT NULL, "lastname" FROM "users" LIMIT ?');
    expect(partial?.columns).to.deep.equal([null, 'lastname']);
    expect(partial?.quality).to.be.below(whole?.quality as number);
  });

  it('the best matching table is chosen, and the first of equals', () => {
    const two = defineDictionary({ clients: { keywords: ['users'], columns: { ln: ['lastname'] } }, users: { columns: { lastname: [] } } });
    expect(reformulate(ask('SELECT lastname FROM users'), two, 1)?.table).to.equal('users');
  });

  it('P-5.4.1-private: whatever is asked, a statement names exported things only and carries values as parameters', () => {
    const word = fc.oneof(fc.constantFrom('users', 'people', 'lastname', 'ln', 'email', 'password', '"; DROP TABLE x; --'),
      fc.string({ minLength: 1, maxLength: 20 }));
    const term = fc.array(word, { minLength: 1, maxLength: 3 });
    const query: fc.Arbitrary<Query> = fc.record({
      entity: term, select: fc.array(term, { maxLength: 4 }),
      where: fc.array(fc.record({ term, op: fc.constantFrom('=' as const, 'like' as const), values: fc.tuple(word) }), { maxLength: 3 }),
    });
    const names = new Set(['users', 'username', 'firstname', 'lastname', 'email']);
    fc.assert(fc.property(query, (asked) => {
      const local = reformulate(asked, users, 7);
      if (local === undefined) return;
      for (const [, name] of local.sql.matchAll(/"([^"]*)"/g)) expect(names.has(name as string)).to.equal(true);
      expect(local.sql.replaceAll(/"[^"]*"/g, '')).to.match(/^SELECT[A-Z ,=?]+LIMIT \?$/);
      expect(local.params).to.deep.equal([...asked.where.flatMap(({ values }) => values), 7n]);
      expect(local.quality).to.be.within(0, 1);
    }), { numRuns: 300 });
  });
});

describe('dictionary: queries as SQL', () => {
  it('reads columns, comparisons either way round, IN, BETWEEN, LIKE, NULL tests, parameters and LIMIT', () => {
    const { query, limit } = parseQuery(
      `SELECT u.lastname, "email" FROM users u WHERE city = ?2 AND ?1 < age AND (x IN (1, -2.5, x'0a', NULL)) AND y BETWEEN 0x10 AND 20
       AND z NOT LIKE 'a%' AND v <> TRUE AND w IS NULL LIMIT 20;`, [30n, 'Oslo'],
    );
    expect(limit).to.equal(20);
    expect(query.entity).to.deep.equal(['users']);
    expect(query.select).to.deep.equal([['lastname'], ['email']]);
    expect(query.where.map(({ term, op, values }) => [term[0], op, ...values])).to.deep.equal([
      ['city', '=', 'Oslo'], ['age', '>', 30n], ['x', 'in', 1n, -2.5, new Uint8Array([10]), null], ['y', '>=', 16n], ['y', '<=', 20n],
      ['z', 'not like', 'a%'], ['v', '<>', 1n], ['w', 'is null'],
    ]);
    expect(decode(queryC, encode(queryC, query))).to.deep.equal(query);
    expect(parseQuery('SELECT * FROM users').query.select).to.deep.equal([]);
  });

  it('refuses what strangers\' schemas cannot promise, and says what', () => {
    const refused: [string, string][] = [
      ['SELECT a FROM t ORDER BY a', 'ORDER BY'], ['SELECT DISTINCT a FROM t', 'DISTINCT'], ['SELECT a FROM t GROUP BY a', 'GROUP BY'],
      ['SELECT a FROM t JOIN u', 'FROM'], ['SELECT a FROM main.t', 'FROM'], ['SELECT a FROM (SELECT 1)', 'FROM'], ['SELECT 1', 'FROM'],
      ['SELECT a FROM t UNION SELECT b FROM u', 'UNION'], ['WITH q AS (SELECT 1) SELECT a FROM q', 'WITH'],
      ['SELECT count(*) FROM t', 'FunctionCall'],
      ['SELECT a AS b FROM t', 'AS'], ['SELECT a FROM t WHERE a = b', 'two columns'], ['SELECT a FROM t WHERE a = 1 OR b = 2', 'Or'],
      ['SELECT a FROM t WHERE NOT a', 'UnaryExpr'], ['SELECT a FROM t WHERE a GLOB 1', 'Glob'],
      ['SELECT a FROM t LIMIT 1 OFFSET 2', 'OFFSET'],
      ['DELETE FROM t', 'DeleteStmt'], ['SELECT a FROM t WHERE a IS NOT 3', 'IsNot'], ['SELECT a FROM t LIMIT 0', 'limit'],
    ];
    for (const [sql, part] of refused) {
      expect(() => parseQuery(sql), sql).to.throw('DICTIONARY_UNSUPPORTED').with.property('message').that.contains(part);
    }
    expect(() => parseQuery('SELECT FROM')).to.throw('DICTIONARY_BAD_SQL');
    expect(() => parseQuery('SELECT a FROM t; SELECT b FROM t')).to.throw('DICTIONARY_BAD_SQL');
    expect(() => parseQuery('SELECT a FROM t WHERE a = ?', [])).to.throw('DICTIONARY_BAD_PARAMETERS');
    expect(() => parseQuery('SELECT a FROM t WHERE a = ?', [1n, 2n])).to.throw('DICTIONARY_BAD_PARAMETERS');
    expect(() => parseQuery('SELECT a FROM t WHERE a IN ()')).to.throw('DICTIONARY_BAD_QUERY');
  });
});

describe('dictionary: semantic groups', () => {
  it('P-6.3.2-group: near schemas join, strangers do not, and membership follows the data', () => {
    const near = defineDictionary({ people: { keywords: ['user'], columns: { ln: ['lastname'], email: [] } } });
    const far = single('galaxies', 'redshift', 'magnitude');
    const known = new Map([['near', near], ['far', far]]);
    const group = (): string[] => semanticGroup(users, known, { threshold: 0.2, maxMembers: 8 }).map(({ id }) => id);
    expect(group()).to.deep.equal(['near']);
    known.set('near', far);
    known.set('far', users);
    expect(group()).to.deep.equal(['far']);
  });
});

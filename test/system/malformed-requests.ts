import type { Json, JsonObject } from '../../machines/json.ts';
import { fan, linear } from '../support/minimal-workflows.ts';
import type { Random } from '../support/random.ts';

/** A request that must get a 4xx reply. */
export interface Malformed {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** Existing objects that malformed requests refer to. */
export interface Present {
  readonly token: string;
  readonly executionId: string;
  readonly workItemId: string;
}

type Shape = 'text' | 'integer' | 'number' | 'boolean' | 'list' | 'object' | 'any';
type Fields = Readonly<Record<string, readonly [shape: Shape, required?: 'required']>>;

const BODIES: Readonly<Record<string, { readonly fields: Fields; readonly valid: JsonObject }>> = {
  '/executions': {
    fields: { workflow_id: ['text', 'required'], workflow_version: ['text'], labels: ['object'] },
    valid: { workflow_id: 'lin', input: {} },
  },
  '/executions/:id/approve': {
    fields: { decision: ['text', 'required'], node_id: ['text'], user_id: ['text'], comment: ['text'] },
    valid: { decision: 'approved' },
  },
  '/executions/:id/external-event': {
    fields: { correlation_key: ['text', 'required'], payload: ['any', 'required'] },
    valid: { correlation_key: 'k', payload: 1 },
  },
  '/executions/:id/cancel': { fields: { reason: ['text'] }, valid: {} },
  '/work-items': {
    fields: { execution_id: ['text', 'required'], node_id: ['text', 'required'], queue_type: ['text'] },
    valid: { execution_id: 'exec_0', node_id: 'n' },
  },
  '/work-items/claim': {
    fields: { worker_id: ['text', 'required'], queue_types: ['list', 'required'], max_items: ['integer'], wait_ms: ['integer'] },
    valid: { worker_id: 'w', queue_types: ['tool'] },
  },
  '/work-items/:item/complete': {
    fields: {
      output: ['any', 'required'],
      lease_fence: ['integer'],
      duration_ms: ['number'],
      node_id: ['text'],
      input_tokens: ['integer'],
    },
    valid: { output: 1, state_patch: {} },
  },
  '/work-items/:item/fail': {
    fields: { error: ['text', 'required'], retryable: ['boolean'], lease_fence: ['integer'] },
    valid: { error: 'e' },
  },
  '/work-items/:item/heartbeat': {
    fields: { worker_id: ['text', 'required'], lease_fence: ['integer'] },
    valid: { worker_id: 'w' },
  },
  '/tokens': {
    fields: { role: ['text', 'required'], name: ['text'], tenant_id: ['text'], expires_in: ['text'] },
    valid: { role: 'viewer' },
  },
};
const POSTS = Object.keys(BODIES);
const GETS = ['/executions/:id', '/executions/:id/events', '/executions/:id/approvals', '/workflows/:name'];

const STRANGE = [
  '',
  ' ',
  '\0',
  '\u202egnirts',
  'naïve',
  '🧨',
  '\ud800',
  "' OR 1=1 --",
  '../../etc/passwd',
  '%00',
  '{{ state.x }}',
  '__proto__',
  'constructor',
  'é'.repeat(500),
  'exec_',
  `exec_${'0'.repeat(31)}`,
  `exec_${'g'.repeat(32)}`,
  '00000000-0000-0000-0000-00000000000',
];
const NUMBERS = [0, -1, 1.5, 1e308, -1e308, 2 ** 53, 2 ** 63, 4e-320];

/** Generates malformed requests of every kind in turn. */
export class Vandal {
  readonly #random: Random;
  readonly #present: Present;

  constructor(random: Random, present: Present) {
    this.#random = random;
    this.#present = present;
  }

  request(): Malformed {
    const kinds = [
      () => this.#wrongField(),
      () => this.#wrongField(),
      () => this.#noObject(),
      () => this.#brokenText(),
      () => this.#unknownId(),
      () => this.#wrongQuery(),
      () => this.#wrongWorkflow(),
      () => this.#unknownPath(),
      () => this.#wrongMethod(),
      () => this.#wrongToken(),
    ];
    return this.#random.pick(kinds)();
  }

  /** A body with one wrong or missing field. */
  #wrongField(): Malformed {
    const route = this.#random.pick(POSTS);
    const { fields, valid } = this.#bodyOf(route);
    const [name, [shape, required]] = this.#random.pick(Object.entries(fields));
    const { [name]: _, ...others } = valid;
    const missing = required !== undefined && (shape === 'any' || this.#random.chance(0.3));
    return this.#post(this.#at(route), JSON.stringify(missing ? others : { ...others, [name]: this.#notA(shape) }));
  }

  /** Any JSON, but not an object. */
  #noObject(): Malformed {
    let value = this.#json(4);
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) value = [value];
    const optional = value === null ? POSTS.filter((route) => !route.endsWith('/cancel')) : POSTS;
    return this.#post(this.#at(this.#random.pick([...optional, '/workflows'])), JSON.stringify(value));
  }

  /** Invalid JSON, or JSON that must be refused. */
  #brokenText(): Malformed {
    const route = this.#random.pick([...POSTS, '/workflows']);
    const valid = JSON.stringify(route === '/workflows' ? { ir: linear } : this.#bodyOf(route).valid);
    const inside = valid.slice(0, -1) + (valid === '{}' ? '' : ',');
    const depth = this.#random.between(300, 20_000);
    const texts = [
      () => valid.slice(0, this.#random.between(1, valid.length - 1)),
      () => `${valid}${this.#random.pick(['}', ']', ',', 'x', '{}', '\0'])}`,
      () =>
        `${inside}"x":${this.#random.pick(['01', '.5', 'NaN', 'Infinity', 'undefined', "'x'", '+1', '0x10', '1e999', '-1e999'])}}`,
      () => `${inside}"__proto__":{"polluted":true}}`,
      () => `${inside}"constructor":{"prototype":{"polluted":true}}}`,
      () => `${inside}"\\u005f_proto__":1}`,
      () => `${inside}"deep":${'['.repeat(depth)}${']'.repeat(depth)}}`,
      () => `${inside}"deep":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`,
      () => '['.repeat(depth),
      () => Buffer.concat([Buffer.from(`${inside}"x":"`), Buffer.from([0xff, 0xfe, 0xc0, 0x80]), Buffer.from('"}')]),
      () => Buffer.from(Array.from({ length: this.#random.between(1, 200) }, () => this.#random.between(128, 255))),
    ];
    return this.#post(this.#at(route), this.#random.pick(texts)());
  }

  #unknownId(): Malformed {
    if (this.#random.chance(0.3)) return this.#get(this.#at(this.#random.pick(GETS), this.#strangeId()));
    const route = this.#random.pick(POSTS.filter((path) => path.includes(':')));
    return this.#post(this.#at(route, this.#strangeId()), JSON.stringify(this.#bodyOf(route).valid));
  }

  #wrongQuery(): Malformed {
    const [path, names] = this.#random.pick([
      ['/executions', ['limit', 'offset']],
      ['/workflows', ['limit', 'offset']],
      ['/executions/:id/events', ['after', 'limit', 'wait_ms']],
      ['/executions/:id', ['wait_ms']],
      ['/executions', ['status']],
      ['/executions/:id/events', ['format', 'type']],
    ] as const);
    const value = this.#random.pick(['abc', '-1', '1.5', '1e99', '0x10', 'NaN', '[]', '{}', '\0', '9'.repeat(400), "1'--"]);
    return this.#get(`${this.#at(path)}?${this.#random.pick(names)}=${encodeURIComponent(value)}`);
  }

  /** A workflow with one error that is not tolerated. */
  #wrongWorkflow(): Malformed {
    const base = this.#random.pick([linear, fan]);
    const nodes = base.nodes as JsonObject;
    const [id = '', node] = this.#random.pick(Object.entries(nodes));
    const kind = (node as JsonObject).kind as JsonObject;
    const withKind = (changes: JsonObject): JsonObject => ({
      ...base,
      nodes: { ...nodes, [id]: { ...(node as JsonObject), kind: { ...kind, ...changes } } },
    });
    const wrong: (() => JsonObject)[] = [
      () => ({ ...base, workflow_id: this.#notA('text') }),
      () => ({ ...base, workflow_id: this.#random.pick(['', null]) }),
      () => ({ ...base, version: this.#random.pick<Json>(['', null, [], {}, true]) }),
      () => ({ ...base, start_node: this.#random.pick(['nowhere', 'end', '__proto__', ' ']) }),
      () => ({ ...base, nodes: this.#random.pick<Json>(['x', 5, true, [1], [{ kind }], {}]) }),
      () => ({
        ...base,
        nodes: { ...nodes, [this.#random.pick(['', 'end', 'constructor', 'a\nb', 'n'.repeat(257)])]: node as JsonObject },
      }),
      () => ({ ...base, nodes: { ...nodes, more: this.#notA('object') } }),
      () => ({
        ...base,
        edges: this.#random.pick<Json>(['x', 5, true, [5], [null], [{}], [{ from: id }], [{ from: 5, to: 'end' }]]),
      }),
      () => ({ ...base, edges: [{ from: id, to: this.#random.pick(['nowhere', 'constructor', 'END', '']) }] }),
      () => ({ ...base, edges: [...(base.edges as Json[]), { from: 'nowhere', to: id }] }),
      () => ({
        ...base,
        timeouts: this.#random.pick<Json>([
          'x',
          5,
          [],
          { node_timeout: -1 },
          { workflow_timeout: 'soon' },
          { node_timeout: 1e300 },
        ]),
      }),
      () => ({
        ...base,
        retry_policies: this.#random.pick<Json>(['x', 5, { p: 5 }, { p: { max_attempts: 0 } }, { p: { max_attempts: 1.5 } }]),
      }),
      () => withKind({ type: this.#random.pick(['', 'nonsense', 'constructor', 'model', 'Tool', 'tool ']) }),
      () => withKind({ type: this.#notA('text') }),
      () => withKind({ type: 'tool', tool_ref: this.#notA('text') }),
      () => withKind({ type: 'wait', condition: this.#notA('text') }),
      () => withKind({ type: 'join', wait_for: ['nowhere'], merge_strategy: 'collect' }),
      () => withKind({ type: 'condition', branches: [{ condition: 'true', target: 'nowhere' }] }),
    ];
    const document = this.#random.pick(wrong)();
    return this.#post('/workflows', JSON.stringify(this.#random.chance(0.5) ? { ir: document } : document));
  }

  #unknownPath(): Malformed {
    const path = this.#random.pick([
      `/${encodeURIComponent(this.#text())}x`,
      '/executions/%',
      '/executions/%E0%A4%A/events',
      '/executions/%ff%fe',
      '//executions/x',
      '/executions/../executions/x/..',
      `/executions/${'x'.repeat(this.#random.between(200, 6_000))}`,
      '/workflows/',
      '/work-items/claim/claim',
      '/console/../../etc/passwd',
      '/api/v2/nothing',
    ]);
    return this.#random.chance(0.5) ? this.#get(path) : this.#post(path, JSON.stringify(this.#json(2)));
  }

  #wrongMethod(): Malformed {
    const path = this.#at(
      this.#random.pick([
        '/executions',
        '/executions/:id',
        '/executions/:id/approve',
        '/work-items/claim',
        '/workflows',
        '/workers',
        '/health',
      ]),
    );
    const method = this.#random.pick(['PUT', 'PATCH', 'PURGE', 'PROPFIND', 'LOCK']);
    return { method, path, headers: this.#headers(), body: '{}' };
  }

  #wrongToken(): Malformed {
    const { token } = this.#present;
    const authorization = this.#random.pick([
      '',
      'Bearer',
      'Bearer ',
      `Basic ${token}`,
      `Bearer ${token}x`,
      `Bearer ${token.toUpperCase()}`,
      `Bearer ${token.slice(0, -1)}`,
      `Bearer jj_${'0'.repeat(64)}`,
      `Bearer ${'x'.repeat(4_000)}`,
      token,
    ]);
    const headers = authorization === '' ? {} : { authorization };
    if (this.#random.chance(0.5)) return { method: 'GET', path: this.#at(this.#random.pick(GETS)), headers, body: '' };
    const route = this.#random.pick(POSTS);
    return { method: 'POST', path: this.#at(route), headers, body: JSON.stringify(this.#bodyOf(route).valid) };
  }

  /** A value of a wrong type; also null, unless null means absent. */
  #notA(shape: Shape): Json {
    const others: Readonly<Record<Exclude<Shape, 'any'>, () => Json>> = {
      text: () => [this.#json(2)],
      integer: () => this.#random.pick<Json>([1.5, '1', 2 ** 60, -1, {}]),
      number: () => this.#random.pick<Json>(['1', -1, [], {}]),
      boolean: () => this.#random.pick<Json>(['true', 1, 0, []]),
      list: () => this.#random.pick<Json>(['tool', 1, {}, true, [1], [null]]),
      object: () => this.#random.pick<Json>(['x', 1, true, [1]]),
    };
    const wrong: Json[] = [true, 7, { a: 1 }, [1]];
    if (shape === 'text') return this.#random.chance(0.3) ? others.text() : this.#random.pick(wrong);
    return shape === 'any' ? null : others[shape]();
  }

  #json(depth: number): Json {
    switch (this.#random.between(0, depth > 0 ? 6 : 4)) {
      case 0:
        return null;
      case 1:
        return this.#random.chance(0.5);
      case 2:
        return this.#random.chance(0.5) ? this.#random.pick(NUMBERS) : this.#random.between(-1_000, 1_000);
      case 3:
      case 4:
        return this.#text();
      case 5:
        return Array.from({ length: this.#random.between(0, 4) }, () => this.#json(depth - 1));
      default:
        return Object.fromEntries(
          Array.from({ length: this.#random.between(0, 4) }, () => [`k${this.#text()}`, this.#json(depth - 1)]),
        );
    }
  }

  #text(): string {
    if (this.#random.chance(0.4)) return this.#random.pick(STRANGE).replace('\ud800', '\ufffd');
    return Array.from({ length: this.#random.between(0, 12) }, () => String.fromCodePoint(this.#random.between(32, 0x2fff))).join(
      '',
    );
  }

  /** An id that does not exist, as part of a path. */
  #strangeId(): string {
    const strange = this.#random.pick(STRANGE.filter((text) => text.trim() !== '' && text !== '\ud800'));
    const wellFormed = Array.from({ length: 32 }, () => this.#random.between(0, 15).toString(16)).join('');
    return encodeURIComponent(this.#random.pick([strange, this.#text() || 'x', `exec_${wellFormed}`, wellFormed]));
  }

  #bodyOf(route: string): { readonly fields: Fields; readonly valid: JsonObject } {
    return BODIES[route] ?? { fields: {}, valid: {} };
  }

  #at(route: string, id?: string): string {
    return route
      .replace(':id', id ?? this.#present.executionId)
      .replace(':item', id ?? this.#present.workItemId)
      .replace(':name', id ?? 'nothing-of-that-name');
  }

  #headers(): Record<string, string> {
    return {
      authorization: `Bearer ${this.#present.token}`,
      'content-type': this.#random.pick(['application/json', 'text/plain', 'application/x-www-form-urlencoded', '???']),
    };
  }

  #get(path: string): Malformed {
    return { method: 'GET', path, headers: this.#headers(), body: '' };
  }

  #post(path: string, body: string | Buffer): Malformed {
    return { method: 'POST', path, headers: this.#headers(), body };
  }
}

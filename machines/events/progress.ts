import { Type } from '../type.ts';
import { atNode, byDefault } from './declaration.ts';
import { absent, activation, attempt, flag, integer, json, nullable, number, object, oneOf, text, texts } from './fields.ts';

/** What in-process work logs while its attempt goes on. */
export const PROGRESS_EVENTS = {
  remote_task_started: atNode({
    letter: 'n',
    description: 'A remote agent has accepted a task. Later attempts of the visit continue it.',
    fields: {
      task_id: text('Id of the task at the agent.'),
      context_id: text('Id of the conversation at the agent; empty if it has none.'),
      agent: text('URL of the agent.'),
      ...attempt,
      ...activation,
    },
  }),
  agent_tool_invoked: atNode({
    letter: 'o',
    description: 'An agent is called as a tool.',
    fields: {
      agent_uri: text('URL of the agent.'),
      mode: byDefault('sync', oneOf(['sync', 'streaming', 'conversational'], 'How it is called.')),
      protocol: byDefault('a2a', oneOf(['a2a', 'http'], '`a2a`, or `http` for agents without a card: `tasks/send`.')),
      input_hash: text('SHA-256 of the input, in hexadecimal digits.'),
      ...attempt,
      ...activation,
    },
    stored: ['agent_uri', 'input_hash', 'mode', 'protocol', 'attempt', 'activation'],
  }),
  agent_tool_progress: atNode({
    letter: 'p',
    description: 'An agent that is called as a tool has sent a part of its output.',
    fields: {
      chunk_index: integer('Number of the last part, counted from 0. Parts that come close together share one event.'),
      partial_output_summary: text('The beginning of the part.'),
      ...attempt,
      ...activation,
    },
  }),
  agent_tool_turn: atNode({
    letter: 'q',
    description: 'A turn of a conversation with an agent.',
    fields: {
      turn_number: integer('Number of the turn, counted from 1.'),
      direction: oneOf(['outbound', 'inbound'], '`outbound`: to the agent.'),
      content_summary: text('The beginning of the message.'),
      tokens: byDefault(0, integer('Tokens that the agent reports for the turn; 0 if it reports none.')),
      cost: byDefault(0, number('Cost in USD that the agent reports for the turn; 0 if it reports none.')),
      ...attempt,
      ...activation,
    },
  }),
  agent_tool_completed: atNode({
    letter: 'r',
    description: 'An agent that was called as a tool has given its result.',
    fields: {
      output: json('Its result; null above 8 KiB: `node_completed` has it.'),
      provenance: absent(json('Where the result comes from, as the agent says; absent if it does not.')),
      total_cost: byDefault(0, number('Cost in USD that the agent reports; 0 if it reports none.')),
      latency_ms: integer('Milliseconds since it was called.'),
      total_turns: absent(integer('Turns of the conversation; absent in other modes.')),
      ...attempt,
      ...activation,
    },
    stored: ['output', 'latency_ms', 'total_cost', 'attempt', 'activation', 'total_turns', 'provenance'],
  }),
  agent_tool_terminated: atNode({
    letter: 's',
    description: 'An agent that was called as a tool was stopped.',
    fields: {
      reason: text('`budget_exceeded`, `max_turns` or `cancelled`.'),
      chunks_received: integer('Parts of its output that have come.'),
      partial_output: json('What has come; null if nothing has, or above 8 KiB.'),
      cost: number('Cost in USD so far, as the agent reports it.'),
      ...attempt,
      ...activation,
    },
  }),
  agent_tool_failed: atNode({
    letter: 't',
    description: 'The call of an agent as a tool failed. `node_failed` follows.',
    fields: {
      failure_type: text('Class of the error.'),
      message: text('What went wrong.'),
      retryable: byDefault(false, flag('Whether another attempt may succeed.')),
      ...attempt,
      ...activation,
    },
  }),
  oauth_token_exchange: atNode({
    letter: 'ε',
    description: 'An attempt has asked for an access token of the person on whose behalf the execution runs.',
    fields: {
      outcome: byDefault('granted', oneOf(['granted', 'refused'], '`refused`: `node_failed` follows.')),
      token_endpoint: text('URL of the token endpoint, as the workflow names it.'),
      requested_scopes: texts('Scopes that were asked for.'),
      granted_scopes: nullable(texts('Scopes.'), 'Scopes of the token; null if it was refused.'),
      audience: absent(text('Service that the token is for; absent if the workflow names none.')),
      error: absent(text('Why it was refused; absent when it was granted.')),
      ...attempt,
      ...activation,
    },
  }),
  coordinator_discovery: atNode({
    letter: 'θ',
    description: 'A coordinator has looked for agents.',
    fields: {
      query_skills: texts('Skills that the agent must have.'),
      query_trust_domain: byDefault(null, nullable(Type.String(), 'Trust domain that it must be of; null = any.')),
      candidates: Type.Array(
        object('`{uri, agent_id, name, skills, latency_class, cost_class, trust_domain, reasoning_modes, history?}`.'),
        { description: 'Agents that can do the task; the first 50.' },
      ),
      filtered_out: Type.Array(object('`{uri, reason}`.'), { description: 'Agents that cannot, and why; the first 50.' }),
      ...attempt,
      ...activation,
    },
    stored: ['query_skills', 'candidates', 'query_trust_domain', 'filtered_out', 'attempt', 'activation'],
  }),
  coordinator_scoring: atNode({
    letter: 'ι',
    description: 'A coordinator has scored agents.',
    fields: {
      rankings: Type.Array(object('`{uri, scores, composite}`.'), { description: 'The best first; the first 50.' }),
      spread: number('Difference of the two best composites; 1 if there is only one.'),
      weights: object('How much each score counts.'),
      ...attempt,
      ...activation,
    },
  }),
  coordinator_decision: atNode({
    letter: 'κ',
    description: 'A coordinator has selected an agent, or found none.',
    fields: {
      selected: nullable(Type.String(), 'URI of the agent; null if there is none.'),
      method: text(
        '`single_candidate`, `structured`, `below_threshold`, `llm_tiebreaker`, `tiebreaker_failed` or `no_candidates`; a coordinator server may have others.',
      ),
      reasoning: nullable(Type.String(), 'Why; null if nothing is said.'),
      confidence: number('From 0 to 1.'),
      rejected: Type.Array(object('`{uri, reason}`.'), { description: 'The others; the first 50.' }),
      tiebreaker_tokens: byDefault(
        null,
        nullable(object('`{input, output}`.'), 'Tokens that the tiebreaker used; null if none was asked.'),
      ),
      tiebreaker_cost: byDefault(null, nullable(Type.Number(), 'What it cost in USD; null if unknown.')),
      ...attempt,
      ...activation,
    },
    stored: [
      'selected',
      'method',
      'reasoning',
      'confidence',
      'rejected',
      'attempt',
      'activation',
      'tiebreaker_tokens',
      'tiebreaker_cost',
    ],
  }),
};

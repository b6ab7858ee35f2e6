/** The numbers of tenants, actors and revisions. */

export const TENANT_BY_NUMBER = 'SELECT id FROM log_tenants WHERE number = ?';
export const TENANT_NUMBER = 'SELECT number FROM log_tenants WHERE id = ?';
export const INSERT_TENANT = 'INSERT INTO log_tenants (id) VALUES (?) RETURNING number';

export const REVISION_NUMBER = 'SELECT number FROM log_revisions WHERE hash = ?';
export const INSERT_REVISION_NUMBER = 'INSERT INTO log_revisions (hash) VALUES (?) RETURNING number';

export const ACTOR_BY_NUMBER =
  'SELECT id AS actorId, type AS actorType, on_behalf_of AS onBehalfOf FROM log_actors WHERE number = ?';
export const ACTOR_NUMBER = `SELECT number FROM log_actors WHERE id = @actorId AND type = @actorType
  AND (on_behalf_of IS NULL) = (@onBehalfOf IS NULL) AND coalesce(on_behalf_of, '') = coalesce(@onBehalfOf, '')`;
/** Agents count down from -1. */
export const INSERT_ACTOR = `INSERT INTO log_actors (number, id, type, on_behalf_of)
  SELECT CASE @actorType WHEN 'agent' THEN min(0, coalesce((SELECT min(number) FROM log_actors), 0)) - 1
    ELSE max(0, coalesce((SELECT max(number) FROM log_actors), 0)) + 1 END, @actorId, @actorType, @onBehalfOf
  RETURNING number`;
/** Of an actor under whatever name it acted, and of all that acted under its name. */
export const ACTORS_NAMED = `SELECT number FROM log_actors WHERE id = @actorId
  UNION ALL SELECT number FROM log_actors WHERE on_behalf_of = @actorId`;

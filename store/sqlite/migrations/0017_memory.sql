-- Memory: texts that are found by the words they contain.

CREATE TABLE memory_namespaces (
  number        INTEGER PRIMARY KEY,
  tenant_id     TEXT    NOT NULL,
  name          TEXT    NOT NULL,
  -- Totals of its items: how many they are, their size, and the words they contain.
  items         INTEGER NOT NULL,
  bytes         INTEGER NOT NULL,
  words         INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  UNIQUE (tenant_id, name)
) STRICT;

CREATE TABLE memory_items (
  number        INTEGER PRIMARY KEY,
  tenant_id     TEXT    NOT NULL,
  -- Of `memory_namespaces`.
  namespace     INTEGER NOT NULL,
  id            TEXT    NOT NULL,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  -- Null: it is kept until it is deleted.
  expires_at_ms INTEGER,
  bytes         INTEGER NOT NULL,
  -- How many words are in `terms`.
  words         INTEGER NOT NULL,
  -- JSON object.
  metadata      TEXT    NOT NULL,
  text          TEXT    NOT NULL,
  -- The words by which it is found (store/resources/memory/words.ts), each with the namespace before it, separated by spaces.
  terms         TEXT    NOT NULL,
  UNIQUE (namespace, id)
) STRICT;
CREATE INDEX memory_items_by_number ON memory_items (namespace, number);
CREATE INDEX memory_items_by_expiry ON memory_items (expires_at_ms) WHERE expires_at_ms IS NOT NULL;

-- Terms are made by this program: the tokenizer only splits them at the spaces.
CREATE VIRTUAL TABLE memory_index USING fts5 (terms, content = 'memory_items', content_rowid = 'number', columnsize = 0,
  tokenize = "ascii tokenchars '_'");
-- Nothing of a deleted text stays in the index.
INSERT INTO memory_index (memory_index, rank) VALUES ('secure-delete', 1);
CREATE VIRTUAL TABLE memory_terms USING fts5vocab (memory_index, 'row');
CREATE VIRTUAL TABLE memory_occurrences USING fts5vocab (memory_index, 'instance');

CREATE TRIGGER memory_items_added AFTER INSERT ON memory_items BEGIN
  INSERT INTO memory_index (rowid, terms) VALUES (new.number, new.terms);
END;
CREATE TRIGGER memory_items_removed AFTER DELETE ON memory_items BEGIN
  INSERT INTO memory_index (memory_index, rowid, terms) VALUES ('delete', old.number, old.terms);
END;
CREATE TRIGGER memory_items_changed AFTER UPDATE OF terms ON memory_items WHEN new.terms <> old.terms BEGIN
  INSERT INTO memory_index (memory_index, rowid, terms) VALUES ('delete', old.number, old.terms);
  INSERT INTO memory_index (rowid, terms) VALUES (new.number, new.terms);
END;

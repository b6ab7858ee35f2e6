-- Rights that pass from one holder to the next: of several runtimes on one database, one at a time does what must be done once.
CREATE TABLE leases (
  name          text   NOT NULL PRIMARY KEY,
  holder        text   NOT NULL,
  expires_at_ms bigint NOT NULL
);

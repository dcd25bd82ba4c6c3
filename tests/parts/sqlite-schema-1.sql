-- A file as the first schema had it, with some jobs in it.
PRAGMA application_id = 1785684599;
PRAGMA user_version = 1;

CREATE TABLE jobs (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  status TEXT,
  parent_id TEXT,
  revision INTEGER NOT NULL,
  ended REAL,
  last_seq INTEGER NOT NULL,
  head TEXT NOT NULL,
  lease_owner TEXT,
  lease_token INTEGER,
  lease_until REAL
) STRICT;
CREATE INDEX jobs_by_status ON jobs (status);
CREATE INDEX jobs_by_parent ON jobs (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX jobs_by_end ON jobs (ended) WHERE ended IS NOT NULL;
CREATE TABLE plans (
  job INTEGER PRIMARY KEY,
  plan TEXT NOT NULL
) STRICT;
CREATE TABLE context (
  place INTEGER PRIMARY KEY,
  job INTEGER NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  UNIQUE (job, key)
) STRICT;
CREATE TABLE steps (
  place INTEGER PRIMARY KEY,
  job INTEGER NOT NULL,
  id TEXT NOT NULL,
  state TEXT NOT NULL,
  UNIQUE (job, id)
) STRICT;
CREATE TABLE events (
  job INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  event TEXT NOT NULL,
  PRIMARY KEY (job, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE control (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  last_token INTEGER NOT NULL,
  value TEXT
) STRICT;

INSERT INTO jobs VALUES (1, 'j', 'created', NULL, 2, NULL, 3, '{"id":"j","status":"created","permissions":{"allowTools":false,"requireApproval":true,"maxSteps":10},"timing":{"created":1},"run":{"schema":1,"revision":2,"seq":0}}', NULL, NULL, NULL);
INSERT INTO jobs VALUES (2, 'ended', 'completed', 'j', 0, 5, 1, '{"id":"ended","status":"completed","permissions":{"allowTools":false,"requireApproval":true,"maxSteps":10},"timing":{"created":1,"completed":5},"parentId":"j"}', NULL, NULL, NULL);
INSERT INTO plans VALUES (1, '{"steps":[{"id":"a","agent":"A"}]}');
INSERT INTO context VALUES (1, 1, 'a', '1');
INSERT INTO context VALUES (2, 1, '"nul\u0000"', '2');
INSERT INTO context VALUES (3, 1, 'b', '2');
INSERT INTO steps VALUES (1, 1, 'a', '{"status":"done","attempts":1}');
INSERT INTO events VALUES (1, 1, '{"id":"0000000000000001","seq":1,"type":"made","payload":{"jobId":"j"},"trace":{"traceId":"00000000000000010000000000000001","spanId":"0000000000000001"},"meta":{"timestamp":1,"source":"test"}}');
INSERT INTO events VALUES (1, 2, '{"id":"0000000000000002","seq":2,"type":"made","payload":{"text":"it''s"},"trace":{"traceId":"00000000000000020000000000000002","spanId":"0000000000000002"},"meta":{"timestamp":2,"source":"test"}}');
INSERT INTO events VALUES (1, 3, '{"id":"0000000000000003","seq":3,"type":"made","payload":{"jobId":"j"},"trace":{"traceId":"00000000000000030000000000000003","spanId":"0000000000000003"},"meta":{"timestamp":3,"source":"test"}}');
INSERT INTO events VALUES (2, 1, '{"id":"0000000000000001","seq":1,"type":"made","payload":{"jobId":"j"},"trace":{"traceId":"00000000000000010000000000000001","spanId":"0000000000000001"},"meta":{"timestamp":1,"source":"test"}}');
INSERT INTO control VALUES (1, 1, '{"paused":true}');
UPDATE sqlite_sequence SET seq = 3 WHERE name = 'jobs';

// @ts-check

/** How many entries a row has at most that an older schema's are put into. */
const MOST_ENTRIES = 1_000;

/**
 * One row for each commit: part of a job that is written in one piece, with few indexes to keep.
 *
 * @param {string} s the schema, quoted
 */
export const commitsTable = (s) => `
  CREATE TABLE ${s}.commits (
    job bigint NOT NULL,
    last_seq bigint NOT NULL,
    place bigint GENERATED ALWAYS AS IDENTITY,
    parts text,
    events text,
    seqs text,
    before bigint NOT NULL
  );
  CREATE INDEX commits_in_order ON ${s}.commits (job, last_seq, place);`;

/**
 * From one row for each key of the context, each step and each event to one for each commit. Of what was written before
 * nobody knows in which commits, so a job has as few rows as may be. A key that stood there as JSON begins with a quote.
 *
 * @param {string} s the schema, quoted
 */
export const toCommits = (s) => `
  ${['context', 'steps'].map((part) => partToCommits(s, part, part === 'context' ? 'value' : 'state')).join('')}
  INSERT INTO ${s}.commits (job, last_seq, events, seqs, before)
    SELECT job, max(seq),
      '[' || string_agg(CASE WHEN event LIKE '{%' THEN event ELSE '[' || event || ']' END, ',' ORDER BY seq) || ']',
      '[' || string_agg(seq::text, ',' ORDER BY seq) || ']', 0
    FROM (SELECT *, (row_number() OVER (PARTITION BY job ORDER BY seq) - 1) / ${MOST_ENTRIES} AS cut FROM ${s}.events) AS t
    GROUP BY job, cut ORDER BY job, cut;
  UPDATE ${s}.jobs SET pruned_seq = last_seq WHERE NOT EXISTS (SELECT FROM ${s}.events WHERE job = n);
  DROP TABLE ${s}.context, ${s}.steps, ${s}.events;
  DO $drop$
  DECLARE
    v_function regprocedure;
  BEGIN
    FOR v_function IN SELECT oid FROM pg_proc WHERE pronamespace = '${s}'::regnamespace AND proname <> 'list_jobs' LOOP
      EXECUTE 'DROP FUNCTION ' || v_function;
    END LOOP;
  END
  $drop$;`;

/**
 * @param {string} s
 * @param {string} part
 * @param {string} value
 */
const partToCommits = (s, part, value) => `
  INSERT INTO ${s}.commits (job, last_seq, parts, before)
    SELECT job, 0, '{"${part}":{' || string_agg(
        CASE WHEN named LIKE '"%' THEN named ELSE to_json(named)::text END || ':' || ${value}, ',' ORDER BY place
      ) || '}}', 0
    FROM (
      SELECT *, coalesce(name, key) AS named, (row_number() OVER (PARTITION BY job ORDER BY place) - 1) / ${MOST_ENTRIES} AS cut
      FROM ${s}.${part}
    ) AS t
    GROUP BY job, cut ORDER BY job, cut;`;

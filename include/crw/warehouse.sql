-- The rooms of the warehouse and its ledger. Applied at every start; every statement may run again.

create schema if not exists landing;
create schema if not exists raw;
create schema if not exists quarantine;
create schema if not exists audit;
create schema if not exists staging;
create schema if not exists core;
create schema if not exists candidate;
create schema if not exists marts;
create schema if not exists accounts;
create schema if not exists as_of;

comment on schema landing is 'One night''s batches, not yet trusted; rebuilt each night.';
comment on schema raw is 'Append-only history of what was published, one row per version of a record.';
comment on schema quarantine is 'Rows refused, each with its reasons; replayable.';
comment on schema audit is 'What ran, what came, what was refused, what was published.';
comment on schema staging is 'Renamed, cast and trimmed views of raw, latest version per key.';
comment on schema core is 'Dimensions and facts.';
comment on schema candidate is 'KPI marts built tonight, not yet trusted.';
comment on schema marts is 'KPI marts, published: all a reader sees.';
comment on schema accounts is 'What is published of single companies, for those who look after them: no dashboard reads it.';
comment on schema as_of is 'A function for each mart but data_health: the mart as it was known at the end of a past business date.';

create table if not exists audit.load (
    load_id bigint generated always as identity primary key,
    source text not null,
    table_name text not null,
    business_date date not null,
    run_id text not null,
    state text not null default 'started'
        constraint load_state_check check (state in ('started', 'landed', 'validated', 'held', 'published', 'failed', 'rejected', 'superseded')),
    interval_start timestamptz not null,
    interval_end timestamptz not null check (interval_end > interval_start),
    rows_read bigint,
    rows_published bigint,
    rows_unchanged bigint,
    rows_quarantined bigint,
    deliveries jsonb not null default '{}',
    message text,
    started_at timestamptz not null default clock_timestamp(),
    landed_at timestamptz,
    validated_at timestamptz,
    published_at timestamptz,
    constraint accounting_identity check (
        state <> 'published' or rows_read = rows_published + rows_unchanged + rows_quarantined
    )
);
-- A warehouse of before may have fewer states.
do $$ begin
    if not pg_get_constraintdef((select oid from pg_constraint where conname = 'load_state_check' and conrelid = 'audit.load'::regclass)) ~ 'superseded' then
        alter table audit.load drop constraint load_state_check, add constraint load_state_check
            check (state in ('started', 'landed', 'validated', 'held', 'published', 'failed', 'rejected', 'superseded'));
    end if;
end $$;
comment on column audit.load.state is 'How far it came: started, landed, validated, published. held: unusual, its batch waits in landing for a person; rejected: the person refused it; superseded: it waited, and a newer batch took its place; failed: wrong in itself, or an error.';
comment on table audit.load is 'One row per attempt to load one table for one business date. The watermark is the interval_end of the last published load.';
comment on column audit.load.deliveries is 'Manifest of a file source: SHA-256 of each file read and its name. A file sent again is known by it and not loaded twice.';
alter table audit.load
    add column if not exists rows_at_source bigint,
    add column if not exists rows_in_raw bigint,
    add column if not exists rows_found_late bigint,
    add column if not exists rows_vanished bigint,
    add column if not exists vanished_are_held boolean,
    add column if not exists rows_amended_since bigint;
comment on column audit.load.rows_at_source is 'Rows of the whole source table, where the load compared it with raw (reconcile in its contract); else empty, like the next four.';
comment on column audit.load.rows_in_raw is 'Keys that raw had before the business date and that had not vanished.';
comment on column audit.load.rows_found_late is 'Rows read though their watermark lies outside the interval, for raw did not have them: committed late, set back, or dated where no interval is. They are among rows_read.';
comment on column audit.load.rows_vanished is 'Keys of raw that the source has no more; audit.vanished names them.';
comment on column audit.load.vanished_are_held is 'Whether more vanished than the contract allows, so that they stay in raw until audit.approval has the date; else each was end-dated.';
comment on column audit.load.rows_amended_since is 'Of a load read a day or more after its interval: rows of the source (of an API, on one page) whose watermark lies after it. How they stood on the date was not read.';
create index if not exists load_by_table on audit.load (source, table_name, business_date, load_id);

create table if not exists audit.vanished (
    load_id bigint not null references audit.load,
    key jsonb not null
);
comment on table audit.vanished is 'Keys of raw that the source has no more, of the newest comparison of each table.';
create index if not exists vanished_by_load on audit.vanished (load_id);

create table if not exists audit.approval (
    source text not null,
    table_name text not null,
    business_date date not null,
    rule text not null,
    reason text not null check (reason <> ''),
    approved_by text not null check (approved_by <> ''),
    approved_at timestamptz not null default clock_timestamp(),
    decision text not null default 'approved' check (decision in ('approved', 'rejected')),
    approval_id bigint generated always as identity
);
alter table audit.approval drop constraint if exists approval_pkey,
    add column if not exists decision text not null default 'approved' check (decision in ('approved', 'rejected')),
    add column if not exists approval_id bigint generated always as identity;
comment on table audit.approval is 'What a person decided: a rule that holds something of a table (source marts: of a mart) on a business date, approved or rejected, by whom and why. The last decision counts.';

create or replace view audit.overtaken as
select business_date, source, table_name, min(rows_amended_since) as rows_amended_since
from audit.load
where state = 'published'
group by business_date, source, table_name
having min(rows_amended_since) > 0;
comment on view audit.overtaken is 'Tables that no load read in time for a business date, so that amendments since have taken the place of what stood then.';

create table if not exists audit.validation (
    validation_id bigint generated always as identity primary key,
    load_id bigint references audit.load,
    suite text not null,
    business_date date not null,
    success boolean not null,
    rules integer not null,
    rules_failed integer not null,
    result jsonb not null,
    validated_at timestamptz not null default clock_timestamp()
);
alter table audit.validation
    add column if not exists held text[],
    add column if not exists message text,
    add column if not exists is_rejected boolean not null default false;
comment on table audit.validation is 'One row per run of a suite; load_id is empty for a mart.';
comment on column audit.validation.held is 'The rules that hold the batch or mart for a person, where all that failed is unusual; else empty.';
comment on column audit.validation.message is 'Why it was refused or is held.';
comment on column audit.validation.is_rejected is 'Of a mart: whether a person refused it, so that it is not believed when it comes again.';

create table if not exists audit.publication (
    publication_id bigint generated always as identity primary key,
    business_date date not null,
    run_id text not null,
    mart text not null,
    row_count bigint not null,
    published_at timestamptz not null default clock_timestamp()
);
comment on table audit.publication is 'One row per mart each time the marts were swapped.';

create or replace view audit.held_by_date as
select l.source, l.table_name, l.business_date, rule, l.message, l.run_id, v.validated_at as since
from audit.load as l
inner join lateral (
    select held, validated_at from audit.validation where load_id = l.load_id order by validation_id desc limit 1
) as v on true
cross join unnest(v.held) as rule
where l.state = 'held'
union all
select source, table_name, business_date, 'vanished', format('%s of %s keys are gone from the source', rows_vanished, rows_in_raw), run_id, published_at
from (select distinct on (source, table_name, business_date) * from audit.load order by source, table_name, business_date, load_id desc) as l
where vanished_are_held
union all
select 'marts', substr(suite, 7), business_date, rule, message, null, validated_at
from (select distinct on (suite) * from audit.validation where suite like 'marts/%' order by suite, validation_id desc) as v
cross join unnest(held) as rule
where not is_rejected and not exists (
    select from audit.publication as p where p.mart = substr(v.suite, 7) and p.published_at > v.validated_at
);
comment on view audit.held_by_date is 'One row per rule that holds something of a table or mart on a business date, decided or not.';

create or replace view audit.held as
select * from audit.held_by_date as h
where not exists (
    select from audit.approval as a
    where a.source = h.source and a.table_name = h.table_name and a.business_date = h.business_date and a.rule = h.rule and a.approved_at > h.since
)
and not (rule = 'vanished' and exists (
    select from audit.load as l
    where l.source = h.source and l.table_name = h.table_name and l.business_date > h.business_date and l.state = 'published'
    and l.rows_at_source is not null
));
comment on view audit.held is 'What waits for a person: one row per rule that holds something of a table or mart, and is not decided.';

create or replace view audit.approved as
select h.* from audit.held_by_date as h
where (
    select a.decision from audit.approval as a
    where a.source = h.source and a.table_name = h.table_name and a.business_date = h.business_date and a.rule = h.rule and a.approved_at > h.since
    order by a.approval_id desc limit 1
) = 'approved'
and not (rule = 'vanished' and exists (
    select from audit.load as l
    where l.source = h.source and l.table_name = h.table_name and l.business_date > h.business_date and l.state = 'published'
    and l.rows_at_source is not null
));
comment on view audit.approved is 'What a person let pass and no run has published since: one row per rule that held something of a table or mart.';

create table if not exists audit.late_run (
    dag_id text not null,
    run_id text not null,
    business_date date not null,
    due_at timestamptz not null,
    noted_at timestamptz not null default clock_timestamp(),
    primary key (dag_id, run_id)
);
comment on table audit.late_run is 'One row per DAG run of a night that had not ended well by its deadline (crw.lateness).';

create table if not exists audit.failed_task (
    dag_id text not null,
    task_id text not null,
    business_date date not null,
    run_id text not null,
    noted_at timestamptz not null default clock_timestamp(),
    primary key (dag_id, task_id)
);
comment on table audit.failed_task is 'Tasks of a nightly DAG that failed for good since it last ended well (crw.alerts).';

create table if not exists audit.alert (
    alert_id bigint generated always as identity primary key,
    kind text not null,
    place text not null,
    message text not null,
    opened_at timestamptz not null default clock_timestamp(),
    closed_at timestamptz
);
create unique index if not exists alert_stands on audit.alert (kind, place) where closed_at is null;
comment on table audit.alert is 'One row per fault that somebody was told of: when it was, and when it was over. What stands has no closed_at.';

create table if not exists audit.unread_file (
    source text not null,
    business_date date not null,
    file_name text not null,
    reason text not null,
    table_name text not null,
    seen_at timestamptz not null default clock_timestamp(),
    primary key (source, business_date, file_name)
);
comment on table audit.unread_file is 'One row per file that lay in a drop folder on a night and was not read, in each night anew: in no delivery of this or a later date.';
comment on column audit.unread_file.file_name is 'Path within the drop folder, as it can be printed: what is neither UTF-8 nor Big5, and control characters, as backslash codes.';
comment on column audit.unread_file.table_name is 'Table whose load noted it; a file that all tables of the source leave unread is noted by the first.';

create or replace function as_of.check_date(known_on date) returns void language plpgsql as $$
declare
    first constant date := (select min(business_date) from audit.publication);
    last constant date := (select max(business_date) from audit.publication);
    overtaken constant text := (
        select string_agg(source || '.' || table_name, ', ' order by source, table_name)
        from audit.overtaken where business_date = known_on
    );
begin
    if first is null then
        raise exception 'no marts were ever published';
    elsif (known_on between first and last) is not true then
        raise exception 'marts were published for % to %; nothing is known as of %', first, last, coalesce(known_on::text, 'null');
    elsif overtaken is not null then
        raise warning '% was read late, and rows have been amended since: % as of that date never was, and no period is complete',
            known_on, overtaken;
    end if;
end $$;
comment on function as_of.check_date is 'Raises an error for a date of which nothing is known, and a warning for one that amendments have overtaken.';

create table if not exists audit.raw_change (
    changed_by xid8 not null default pg_current_xact_id(),
    relation text not null,
    business_date date not null,
    load_id bigint,
    key text,
    check (num_nonnulls(load_id, key) = 1)
);
comment on table audit.raw_change is 'What changed in raw, so that dbt reads no more than that: one row per load that stored rows, one per key that rows were deleted of.';
comment on column audit.raw_change.changed_by is 'Transaction that changed it. Transactions that a snapshot does not see are exactly those that came since, whenever they began.';
comment on column audit.raw_change.key is 'First column of the contract''s key, of a deleted row.';

-- A backup tells of the transactions of the server that it was written on. Where that one was ahead of this, what changes now would be
-- taken for what the last build saw: the next one makes all anew, and what changed there changed now.
do $$
begin
    if to_regclass('core.build') is not null then
        update core.build set is_finished = false
        where pg_snapshot_xmax(known_until::pg_snapshot) > pg_snapshot_xmax(pg_current_snapshot());
    end if;
    update audit.raw_change set changed_by = default where changed_by >= pg_snapshot_xmax(pg_current_snapshot());
end $$;

-- A warehouse of before notes it by a trigger, which takes no distributed table.
drop function if exists audit.note_deleted() cascade;

create table if not exists quarantine.record (
    record_id bigint generated always as identity primary key,
    load_id bigint not null references audit.load,
    source text not null,
    table_name text not null,
    business_date date not null,
    row_no bigint not null,
    record jsonb not null,
    reasons jsonb not null,
    quarantined_at timestamptz not null default clock_timestamp(),
    released_at timestamptz,
    released_by_load_id bigint references audit.load,
    unique (load_id, row_no)
);
comment on table quarantine.record is 'One row per row refused: the whole record as it came, and why. reasons is an array of {rule, column, value, message, severity}.';
create index if not exists record_by_table on quarantine.record (source, table_name, business_date);

create table if not exists audit.quarantine_action (
    action_id bigint generated always as identity primary key,
    record_id bigint not null references quarantine.record,
    action text not null check (action in ('mended', 'accepted', 'replayed', 'expired')),
    details text[],
    load_id bigint references audit.load,
    reason text not null check (reason <> ''),
    done_by text not null check (done_by <> ''),
    done_at timestamptz not null default clock_timestamp()
);
create index if not exists quarantine_action_by_record on audit.quarantine_action (record_id);
comment on table audit.quarantine_action is 'What a person did with a row in quarantine: who, when and why. mended: other values, in the columns of details; accepted: as it stands it may break the rules of details; replayed: sent through the gate again, by load_id; expired: given up.';

-- Privacy (crw.privacy): who is forgotten, who must not come back, under which key the pseudonyms are, and what has gone by age.
alter table audit.load add column if not exists rows_suppressed bigint;
comment on column audit.load.rows_suppressed is 'Values of the batch in which a suppressed person stood and a random pseudonym took its place, while landing. The rows are among rows_read as any other.';

create table if not exists audit.erasure (
    erasure_id bigint generated always as identity primary key,
    erased_at timestamptz not null default clock_timestamp(),
    erased_by text not null check (erased_by <> ''),
    reason text not null check (reason <> ''),
    erased jsonb not null
);
comment on table audit.erasure is 'Proof of each erasure of a data subject: when, by whom, why, and how many rows of each table, and files, told of the person. Whose it was it does not say.';

create table if not exists audit.suppression (
    pseudonym text primary key,
    since date not null default current_date
);
comment on table audit.suppression is 'Pseudonyms of who was erased: a delivery that still has the person is landed without. The only place where they still stand.';
alter table audit.suppression alter column pseudonym set statistics 0;  -- else they would stand in PostgreSQL's samples too

create table if not exists audit.readmission (
    readmission_id bigint generated always as identity primary key,
    readmitted_at timestamptz not null default clock_timestamp(),
    readmitted_by text not null check (readmitted_by <> ''),
    reason text not null check (reason <> '')
);
comment on table audit.readmission is 'Each time that a person was taken off the suppression list: when, by whom and why. Who it was it does not say.';

create table if not exists audit.nobody (
    pseudonym text primary key
);
comment on table audit.nobody is 'Random pseudonyms that took the place of erased persons. Nothing says of which.';

create table if not exists audit.suppression_salt (
    source text primary key,
    salt bytea not null default uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
);
comment on table audit.suppression_salt is 'What makes the random pseudonyms of a source''s night agree between its tables; gone when the source is published.';

create table if not exists audit.pseudonym_key (
    fingerprint text primary key,
    used_from timestamptz not null default clock_timestamp(),
    rotated_by text
);
comment on table audit.pseudonym_key is 'Fingerprints of the keys that the pseudonyms were made with; the newest is of the one in use. No key can be had from one.';

create table if not exists audit.purge (
    purge_id bigint generated always as identity primary key,
    purged_at timestamptz not null default clock_timestamp(),
    entity text not null,
    keep_months integer not null,
    rows_purged bigint not null
);
comment on table audit.purge is 'What the monthly purge took away: one row per entity of the seed retention, none purged included.';

-- What dbt tells readers of the nights is counted over these: no value of a refused row is in them.
create or replace view audit.refusal as
select record_id, load_id, source, table_name, business_date, reason ->> 'rule' as rule, reason ->> 'severity' as severity,
    quarantined_at, released_at
from quarantine.record cross join lateral jsonb_array_elements(reasons) as reason;
comment on view audit.refusal is 'One row per row refused and rule that refused it, without what the row holds.';

create or replace view audit.rule_result as
select validation_id, load_id, suite, business_date, rule ->> 'rule' as rule, rule ->> 'severity' as severity,
    (rule ->> 'success')::boolean as success, (rule ->> 'unexpected')::bigint as unexpected, validated_at
from audit.validation cross join lateral jsonb_array_elements(result -> 'rules') as rule;
comment on view audit.rule_result is 'One row per rule of a run of a suite; unexpected counts rows, and is empty for a rule about a whole table.';

-- Roles. None can log in until a deployment gives it a password, and each is refused what it has no business with.
--   crw_loader       runs extract, validate and publish: owns landing and raw and the marts it publishes
--   crw_transformer  runs dbt: reads raw; owns staging, core and candidate, and the functions of as_of
--   crw_analyst      reads core, marts and accounts, and the marts as of past dates
--   crw_account_manager  reads accounts, where single companies are told of, and marts
--   crw_dashboard    reads marts only, read-only and at most 30 seconds a statement, because a dashboard may pass on
--                    what an anonymous viewer typed
-- readers.sql has the limits of the last three. They hold for a login as such a role itself, not for its members.
do $$
declare
    wanted text;
begin
    foreach wanted in array array['crw_loader', 'crw_transformer', 'crw_analyst', 'crw_account_manager', 'crw_dashboard'] loop
        if not exists (select from pg_roles where rolname = wanted) then
            begin
                execute format('create role %I nologin', wanted);
            exception when duplicate_object or unique_violation then null;  -- another warehouse of this server was faster
            end;
        end if;
        -- An installer that is no superuser must be a member to hand over tables and set default privileges.
        if not pg_has_role(current_user, wanted, 'set') then
            execute format('grant %I to %I with set true, inherit true', wanted, current_user);
        end if;
    end loop;
end $$;

grant usage, create on schema landing, raw, marts, accounts to crw_loader;
grant usage on schema quarantine, audit, core, candidate to crw_loader;
grant select, insert, update, delete on all tables in schema quarantine, audit to crw_loader;
grant usage on all sequences in schema quarantine to crw_loader;  -- Citus asks for it where PostgreSQL does not, of an identity
grant select on all tables in schema core, candidate to crw_loader;  -- the marts' suites compare both
grant usage, create on schema staging, core, candidate, as_of to crw_transformer;
grant usage on schema raw to crw_transformer;
grant select on all tables in schema raw to crw_transformer;
grant usage on schema audit to crw_transformer;
grant select on audit.publication to crw_transformer;  -- which past dates there are
grant select on audit.raw_change to crw_transformer;
grant select on audit.overtaken to crw_transformer;  -- of which dates no period is complete
grant select on audit.refusal, audit.rule_result, audit.late_run to crw_transformer;  -- what data_health counts
grant select (load_id, source, table_name, business_date, state, rows_read, rows_published, rows_unchanged, rows_quarantined,
    rows_at_source, rows_in_raw, rows_found_late, rows_vanished, started_at, landed_at, validated_at, published_at) on audit.load to crw_transformer;
grant usage on schema core, marts, accounts, as_of to crw_analyst;
grant select on all tables in schema core, marts, accounts to crw_analyst;
grant usage on schema marts, accounts to crw_account_manager;
grant select on all tables in schema marts, accounts to crw_account_manager;
grant usage on schema marts to crw_dashboard;
grant select on all tables in schema marts to crw_dashboard;

-- A table made later is readable from its first moment, whoever makes it: the role whose work it is, or the installer.
do $$
declare
    maker text;
begin
    foreach maker in array array[current_user, 'crw_loader', 'crw_transformer'] loop
        execute format('alter default privileges for role %I in schema raw grant select on tables to crw_transformer', maker);
        execute format('alter default privileges for role %I in schema candidate grant select on tables to crw_loader', maker);
        execute format('alter default privileges for role %I in schema core grant select on tables to crw_loader, crw_analyst', maker);
        execute format('alter default privileges for role %I in schema marts grant select on tables to crw_analyst, crw_account_manager, crw_dashboard', maker);
        execute format('alter default privileges for role %I in schema accounts grant select on tables to crw_analyst, crw_account_manager', maker);
    end loop;
end $$;

-- To truncate, attach a partition, replace a view or drop a table takes its owner.
do $$
declare
    relation record;
begin
    for relation in
        select c.oid::regclass as name, rooms.owner
        from pg_class as c
        inner join (values
            ('landing', 'crw_loader'), ('raw', 'crw_loader'), ('marts', 'crw_loader'), ('accounts', 'crw_loader'),
            ('staging', 'crw_transformer'), ('core', 'crw_transformer'), ('candidate', 'crw_transformer')
        ) as rooms (schema_name, owner) on c.relnamespace = rooms.schema_name::regnamespace
        where c.relkind in ('r', 'p', 'v', 'm') and c.relowner <> rooms.owner::regrole
    loop
        execute format('alter table %s owner to %I', relation.name, relation.owner);
    end loop;
end $$;

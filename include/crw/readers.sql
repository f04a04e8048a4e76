-- What readers' sessions may take of the server, held each night, and their end where one stands in the night's way.
-- Applied after warehouse.sql; every statement may run again.

create or replace view audit.reader_limit as
select role, setting, value
from (values
    ('crw_analyst', 'connections', '40'),
    ('crw_analyst', 'statement_timeout', '1h'),
    ('crw_analyst', 'transaction_timeout', '2h'),
    ('crw_analyst', 'lock_timeout', '1min'),
    ('crw_analyst', 'idle_in_transaction_session_timeout', '15min'),
    ('crw_analyst', 'idle_session_timeout', '12h'),
    ('crw_analyst', 'temp_file_limit', '20GB'),
    ('crw_account_manager', 'connections', '20'),
    ('crw_account_manager', 'default_transaction_read_only', 'on'),
    ('crw_account_manager', 'statement_timeout', '5min'),
    ('crw_account_manager', 'transaction_timeout', '10min'),
    ('crw_account_manager', 'lock_timeout', '10s'),
    ('crw_account_manager', 'idle_in_transaction_session_timeout', '1min'),
    ('crw_account_manager', 'temp_file_limit', '2GB'),
    ('crw_dashboard', 'connections', '40'),
    ('crw_dashboard', 'default_transaction_read_only', 'on'),
    ('crw_dashboard', 'statement_timeout', '30s'),
    ('crw_dashboard', 'transaction_timeout', '10min'),  -- the report reads its pages in one
    ('crw_dashboard', 'lock_timeout', '10s'),
    ('crw_dashboard', 'idle_in_transaction_session_timeout', '5min'),
    ('crw_dashboard', 'temp_file_limit', '2GB')
) as limits (role, setting, value);
create table if not exists audit.reader_limit_restored (
    message text not null,
    restored_at timestamptz not null default clock_timestamp()
);
comment on table audit.reader_limit_restored is 'What was found otherwise than audit.reader_limit, each time the limits were held: by whom it had been changed, or what can only be changed by hand.';
grant select, insert on audit.reader_limit_restored to crw_loader;

comment on view audit.reader_limit is 'Settings of the roles that readers log in as: these and no others. connections: how many a role may have at a time.';

-- A role may always change its own settings for good (alter role current_user set), so they are given to each session anew when it
-- logs in. Whatever a session sets for itself ends with it.
create or replace function audit.limit_reader() returns event_trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if session_user in ('crw_analyst', 'crw_account_manager', 'crw_dashboard') then
        perform set_config(setting, value, false) from audit.reader_limit
        where role = session_user and setting <> 'connections';
    end if;
end $$;
comment on function audit.limit_reader() is 'Event trigger of each login: gives a reader''s session its limits, whatever its role had set for good.';

create or replace function audit.hold_reader_limits() returns setof text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    is_superuser constant boolean := (select rolsuper from pg_roles where rolname = current_user);
    found record;
begin
    for found in
        select r.rolname, d.datname, split_part(s.setting, '=', 1) as name, substr(s.setting, strpos(s.setting, '=') + 1) as value
        from pg_db_role_setting as kept
        inner join pg_roles as r on r.oid = kept.setrole
        left join pg_database as d on d.oid = kept.setdatabase
        cross join lateral unnest(kept.setconfig) as s (setting)
        where r.rolname in (select role from audit.reader_limit) and (d.oid is not null or not exists (
            select from audit.reader_limit as l
            where l.role = r.rolname and l.setting || '=' || l.value = s.setting
        ))
    loop
        execute format('alter role %I %s reset %I', found.rolname,
            case when found.datname is not null then format('in database %I', found.datname) end, found.name);
        return next format('%s had set %s for good%s: taken back', found.rolname, found.name, ' in ' || found.datname);
    end loop;
    for found in
        select l.role, l.setting, l.value
        from audit.reader_limit as l
        where l.setting <> 'connections' and (is_superuser or l.setting <> 'temp_file_limit') and not exists (
            select from pg_db_role_setting as kept
            where kept.setrole = l.role::regrole and kept.setdatabase = 0 and l.setting || '=' || l.value = any (kept.setconfig)
        )
    loop
        execute format('alter role %I set %I = %L', found.role, found.setting, found.value);
        return next format('%s was without %s = %s: set again', found.role, found.setting, found.value);
    end loop;
    for found in
        select r.rolname, r.rolconnlimit, l.value
        from audit.reader_limit as l
        inner join pg_roles as r on r.rolname = l.role
        where l.setting = 'connections' and r.rolconnlimit <> l.value::integer
    loop
        execute format('alter role %I connection limit %s', found.rolname, found.value);
        return next format('%s might have %s connections (-1: any number): %s again', found.rolname, found.rolconnlimit, found.value);
    end loop;
    for found in
        select r.role, d.datname
        from (select distinct role from audit.reader_limit) as r
        cross join pg_database as d
        where d.datallowconn and d.datname <> current_database() and has_database_privilege(r.role, d.oid, 'connect')
    loop
        return next format('%s may log into %s too: revoke connect on database %I from public', found.role, found.datname, found.datname);
    end loop;
end $$;
comment on function audit.hold_reader_limits() is 'Gives the readers'' roles their limits again, takes back what else they were set to, and tells of each that it found otherwise.';

create or replace function audit.end_blocking_readers(patience interval) returns setof text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    found record;
begin
    for found in
        select distinct on (reader.pid)
            reader.pid, reader.usename, reader.xact_start, waiting.usename as kept, l.relation::regclass::text as relation
        from pg_locks as l
        inner join pg_stat_activity as waiting on waiting.pid = l.pid and waiting.datname = current_database()
        cross join lateral unnest(pg_blocking_pids(l.pid)) as blocking (pid)
        inner join pg_stat_activity as reader on reader.pid = blocking.pid
        where not l.granted and l.waitstart <= clock_timestamp() - patience
            and (pg_has_role(waiting.usesysid, 'crw_loader', 'member') or pg_has_role(waiting.usesysid, 'crw_transformer', 'member'))
            and exists (
                select from audit.reader_limit as limits where pg_has_role(reader.usesysid, limits.role, 'member')
            )
            and not pg_has_role(reader.usesysid, 'crw_loader', 'member')
    loop
        if pg_terminate_backend(found.pid) then
            return next format('%s (pid %s, in a transaction since %s) kept %s waiting for %s: its session was ended',
                found.usename, found.pid, to_char(found.xact_start, 'YYYY-MM-DD HH24:MI:SS'), found.kept,
                coalesce(found.relation, 'a lock'));
        end if;
    end loop;
end $$;
comment on function audit.end_blocking_readers(interval) is 'Ends each reader''s session that has kept one of the night''s waiting for a lock for so long, and tells whose.';

revoke execute on function audit.limit_reader(), audit.hold_reader_limits(), audit.end_blocking_readers(interval) from public;
grant execute on function audit.hold_reader_limits(), audit.end_blocking_readers(interval) to crw_loader, crw_transformer;
alter role crw_loader set lock_timeout = '30min';  -- what is no reader's lets the night fail, and not wait for ever
alter role crw_transformer set lock_timeout = '30min';

-- Of this database only what belongs to it may be entered, and temporary tables, which nothing bounds, made by whom it trusts.
do $$
begin
    execute format('revoke connect, temporary on database %I from public', current_database());
    execute format('grant connect on database %I to crw_loader, crw_transformer, crw_analyst, crw_account_manager, crw_dashboard',
        current_database());
    execute format('grant temporary on database %I to crw_loader, crw_transformer, crw_analyst', current_database());
end $$;

-- What needs the superuser: functions that PostgreSQL gives to everybody, and the trigger. Readers could hold the locks by which loads
-- and publications wait for each other, fill the disk with large objects, and end each other's sessions.
do $$
declare
    given record;
begin
    if not (select rolsuper from pg_roles where rolname = current_user) then
        return;
    end if;
    for given in
        select oid::regprocedure as signature from pg_proc
        where pronamespace = 'pg_catalog'::regnamespace
            and proname ~ '^(pg_(try_)?advisory_|lo_creat|lo_from_bytea$|pg_(cancel|terminate)_backend$|pg_notify$)'
            and has_function_privilege('crw_dashboard', oid, 'execute')
    loop
        execute format('revoke execute on function %s from public', given.signature);
        execute format('grant execute on function %s to crw_loader, crw_transformer', given.signature);
    end loop;
    if not exists (select from pg_event_trigger where evtname = 'crw_limit_reader') then
        create event trigger crw_limit_reader on login execute function audit.limit_reader();
        alter event trigger crw_limit_reader enable always;
    end if;
end $$;

-- Said from the first load on: before, each limit is new.
do $$
declare
    found text;
begin
    for found in select * from audit.hold_reader_limits() loop
        if exists (select from audit.load) then
            insert into audit.reader_limit_restored (message) values (found);
        end if;
    end loop;
end $$;

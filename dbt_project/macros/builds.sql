{#-
    How a build finds out what to do (incremental models), and how it remembers what it did.

    `int_touched_posts` compares what landed and what is known of each post with what the last complete
    build saw: two tables that `record_build` writes when everything that a build consists of has passed.
    A build that fails records nothing, so that the next one does all of it again; every incremental
    model deletes what it will write, so that doing it again changes nothing.
-#}

{#- What: a moment before every slot: a post touched from then on is rebuilt whole. -#}
{% macro beginning() %}cast('1970-01-01 00:00:00+00' as {{ instant_type() }}){% endmacro %}

{#- What: a moment after every slot: nothing stands after it that could be kept. -#}
{% macro ending() %}cast('9999-01-01 00:00:00+00' as {{ instant_type() }}){% endmacro %}

{#-
    What:   a table that the last complete build left, or none.
    Usage:  {% set relation = recorded('recorded_loads') %}
-#}
{% macro recorded(name) %}
    {%- if execute and not flags.FULL_REFRESH -%}
        {{- return(adapter.get_relation(target.database, generate_schema_name('intermediate', none), name)) -}}
    {%- endif -%}
    {{- return(none) -}}
{% endmacro %}

{#-
    What:   the rows a mart holds as last built, before this build replaces them; none at first.
    Usage:  {% set relation = as_last_built('marts', 'post_increments') %}
-#}
{% macro as_last_built(schema, name) %}
    {%- if execute and not flags.FULL_REFRESH -%}
        {{- return(adapter.get_relation(target.database, generate_schema_name(schema, none), name)) -}}
    {%- endif -%}
    {{- return(none) -}}
{% endmacro %}

{#-
    What:   removes the snapshots that this build writes anew, before it does (a pre-hook).
    Why:    rows that are no more, as a file row that a newer file replaces, must go too. They are asked
            for by a join: a correlated inequality takes DuckDB ten times as long.
    Input:  but: a quality of posts whose rows are found by load instead (`is_found_by_load`); all are touched else.
-#}
{% macro delete_touched_snapshots(but=none) %}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where (post_id, slot_start) in (
            select
                built.post_id,
                built.slot_start
            from {{ this }} as built
            inner join {{ ref('int_touched_posts') }} as touched
                on
                    built.post_id = touched.post_id
                    and built.slot_start between touched.first_slot and touched.last_slot
            {%- if but %}
            where not ({{ is_found_by_load('touched', but) }})
            {%- endif %}
        )
    {%- endif -%}
{% endmacro %}

{#-
    What:   whether the rows of a touched post are found by their new loads, without a look through the history.
            Not if int_loads is of another build.
    Input:  quality: goes_on, for all that this build touched; only_adds, for the snapshots that it writes.
    Usage:  {{ is_found_by_load('touched', 'goes_on') }} as is_by_load
-#}
{% macro is_found_by_load(touched, quality) -%}
    {{ touched }}.{{ quality }} and {{ touched }}.build_id in (select loads.build_id from {{ ref('int_loads') }} as loads)
{%- endmacro %}

{#- What: removes what the new loads brought, for a model that is built again with them (a pre-hook). -#}
{% macro delete_added_snapshots() %}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where
            load_id in (select loads.load_id from {{ ref('int_loads') }} as loads where loads.is_new)
            and post_id in (select touched.post_id from {{ ref('int_touched_posts') }} as touched)
    {%- endif -%}
{% endmacro %}

{#-
    What:   removes all rows of the posts that a model lists (a pre-hook of models with a few rows a post).
    Input:  listed: a condition on the model's rows.
-#}
{% macro delete_posts_of(model, listed='true') %}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where post_id in (select post_id from {{ ref(model) }} where {{ listed }})
    {%- endif -%}
{% endmacro %}

{#- What: removes comparisons that are made anew, and those of posts that are compared no more (a pre-hook). -#}
{% macro delete_touched_comparisons() %}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where post_id not in (select post_id from {{ ref('int_compared_posts') }} where not is_touched)
    {%- endif -%}
{% endmacro %}

{#- What: removes the evidence of accounts whose posts are no longer those it was drawn from (a pre-hook). -#}
{% macro delete_changed_evidence() %}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where not exists (
            select 1
            from {{ ref('int_timing_accounts') }} as accounts
            where
                accounts.account_id = {{ this }}.account_id
                and accounts.timezone = {{ this }}.timezone
                and accounts.measure = {{ this }}.measure
                and accounts.fingerprint = {{ this }}.fingerprint
        )
    {%- endif -%}
{% endmacro %}

{#- What: removes the slots of which what is due is counted anew (a pre-hook). -#}
{% macro delete_recounted_slots() %}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where (account_id, slot_start) in (
            select
                built.account_id,
                built.slot_start
            from {{ this }} as built
            left join (select distinct account_id, recounted_from from {{ ref('int_due_posts') }}) as due
                on built.account_id = due.account_id
            where
                due.account_id is null
                or built.slot_start >= due.recounted_from
        )
    {%- endif -%}
{% endmacro %}

{#- What: removes the quarter hours in which something changed (a pre-hook). -#}
{% macro delete_touched_quarters() %}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where exists (
            select 1
            from {{ ref('int_touched_quarters') }} as touched
            where
                touched.account_id = {{ this }}.account_id
                and touched.quarter_hour = {{ this }}.quarter_hour
        )
    {%- endif -%}
{% endmacro %}

{#-
    What:   removes the days in which something changed, and those of zones that are no longer wanted
            (a pre-hook).
    Input:  day: the column of the local day; zones: the model of the zones wanted of each account.
-#}
{% macro delete_touched_days(day, zones) %}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where
            exists (
                select 1
                from {{ ref('int_touched_days') }} as touched
                where
                    touched.account_id = {{ this }}.account_id
                    and touched.timezone = {{ this }}.timezone
                    and touched.local_day = {{ this }}.{{ day }}
            )
            or not exists (
                select 1
                from {{ ref(zones) }} as wanted
                where
                    wanted.account_id = {{ this }}.account_id
                    and wanted.timezone = {{ this }}.timezone
            )
    {%- endif -%}
{% endmacro %}

{#-
    What: the on-run-end hook: if this run built everything, the next one starts from here. What it changed
          is kept for a while, so that a publication can take over what changed since its last one.
-#}
{% macro record_build(results) %}
    {%- if execute and flags.WHICH in ['build', 'run'] and not flags.EMPTY and is_complete_build(results) %}
        {%- set schema = generate_schema_name('intermediate', none) %}
        {%- set snapshots = generate_schema_name('marts', none) ~ '.analytics_snapshots' %}
        {%- set kept = 20 %}
        create or replace table {{ schema }}.recorded_loads as
        select load_id from {{ schema }}.int_loads;
        create or replace table {{ schema }}.recorded_posts as
        select post_id, fingerprint, account_id, published_at from {{ schema }}.int_posts;
        delete from {{ schema }}.int_touched_before;
        create table if not exists {{ schema }}.recorded_builds as
        select cast(0 as integer) as build, cast('' as string) as invocation_id where 1 = 0;
        create table if not exists {{ schema }}.recorded_spans as
        select cast(0 as integer) as build, post_id, first_slot, last_slot
        from {{ schema }}.int_touched_posts where 1 = 0;
        insert into {{ schema }}.recorded_builds
        select coalesce(max(build), 0) + 1, '{{ invocation_id }}' from {{ schema }}.recorded_builds;
        insert into {{ schema }}.recorded_spans
        select builds.build, touched.post_id, touched.first_slot, touched.last_slot
        from {{ schema }}.int_touched_posts as touched
        cross join (select max(build) as build from {{ schema }}.recorded_builds) as builds;
        {#- Without the archived readings no part of what they gave may be built again. -#}
        {%- for touched in ['posts', 'ages', 'times', 'quarters', 'days'] %}
        delete from {{ schema }}.int_touched_{{ touched }}
        where (select count(*) from {{ snapshots }} where is_archived) > 0;
        {%- endfor %}
        delete from {{ snapshots }} where is_archived;
        delete from {{ schema }}.recorded_spans
        where build <= (select max(build) from {{ schema }}.recorded_builds) - {{ kept }};
        delete from {{ schema }}.recorded_builds
        where build <= (select max(build) from {{ schema }}.recorded_builds) - {{ kept }};
    {%- endif %}
{% endmacro %}

{#- What: whether every model was built and nothing failed. -#}
{% macro is_complete_build(results) %}
    {%- set built = [] -%}
    {%- set failed = [] -%}
    {%- for result in results -%}
        {%- if result.status in ['error', 'fail', 'runtime error', 'skipped'] -%}
            {%- do failed.append(result.node.unique_id) -%}
        {%- elif result.node.resource_type == 'model' -%}
            {%- do built.append(result.node.unique_id) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set models = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | list -%}
    {{- return(not failed and built | length == models | length) -}}
{% endmacro %}

{#-
    What:   a text that changes whenever a model, a seed or a macro of the project does, so that a new
            version of the code rebuilds what an older one made.
    Output: 32 characters.
-#}
{% macro code_fingerprint() %}
    {%- set parts = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.resource_type in ['model', 'seed'] -%}
            {%- do parts.append(node.checksum.checksum) -%}
        {%- endfor -%}
        {%- for name, found in context.items() -%}
            {%- if found.macro is defined and found.macro.package_name == project_name -%}
                {%- do parts.append(found.macro.macro_sql) -%}
            {%- endif -%}
        {%- endfor -%}
        {{- return(local_md5(parts | sort | join)) -}}
    {%- endif -%}
{% endmacro %}

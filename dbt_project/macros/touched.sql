{#-
    Which rows a data test looks at. In a build they are those that the build touched, so that its cost
    follows the new rows; in a full refresh and with `--vars '{verify: true}'` (make verify) they are all.
-#}

{#- What: whether all rows are touched, or asked for. -#}
{% macro tests_look_at_all() %}
    {{- return(var('verify') or flags.FULL_REFRESH) -}}
{% endmacro %}

{#-
    What:   a condition that holds for rows of posts that this build touched; for all rows in `make verify`.
    Input:  is_landed: the id is text, as it landed.
    Usage:  where {{ of_touched_posts('post_id') }}
-#}
{% macro of_touched_posts(post_id, is_landed=false) -%}
    {#- Named whatever the flags are: a full refresh would otherwise be parsed, and remembered, without it. -#}
    {%- set touched_posts = ref('int_touched_posts') -%}
    {%- if tests_look_at_all() -%}
        1 = 1
    {%- else -%}
        {{ post_id }} in (
            select {{ 'cast(touched.post_id as string)' if is_landed else 'touched.post_id' }}
            from {{ touched_posts }} as touched
        )
    {%- endif -%}
{%- endmacro %}

{#-
    What:   the rows of a model with a row a snapshot that this build touched; all of them in `make verify`.
    Usage:  from {{ touched_snapshots(ref('post_increments')) }} as increments
-#}
{% macro touched_snapshots(relation) -%}
    {#- Named whatever the flags are, as above. -#}
    {%- do ref('int_touched_posts') -%}
    {%- if tests_look_at_all() -%}
        {{ relation }}
    {%- else -%}
        (select tested.* from {{ relation }} as tested {{ touched_rows(relation)['snapshot'] }})
    {%- endif -%}
{%- endmacro %}

{#-
    What:   what a generic test reads: of a model with `meta.tested_by`, or for a test with its own, the touched
            rows. Overrides dbt's own, which knows the `where` of a test alone.
-#}
{% macro get_where_subquery(relation) -%}
    {%- set touched = [] -%}
    {%- if execute and not tests_look_at_all() -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name == relation.identifier -%}
            {%- set tested_by = config.get('meta', {}).get('tested_by', node.config.meta.get('tested_by', 'all')) -%}
            {%- do touched.append(touched_rows(relation)[tested_by]) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set joins = touched | select | join -%}
    {%- set rows = '(select tested.* from ' ~ relation ~ ' as tested ' ~ joins ~ ')' if joins else relation -%}
    {%- if config.get('where') -%}
        (select * from {{ rows }} as touched where {{ config.get('where') }}) as tested
    {%- elif joins -%}
        {{ rows }} as tested
    {%- else -%}
        {{ relation }}
    {%- endif -%}
{%- endmacro %}

{#-
    What:   `meta.tested_by` -> the join or condition that leaves the rows of the relation which this build touched,
            each once. `landing`: those of new loads alone, `reading`: all of posts that these loads brought.
-#}
{% macro touched_rows(relation) %}
    {%- set schema = generate_schema_name('intermediate', none) -%}
    {%- set recorded_loads = recorded('recorded_loads') -%}
    {%- set of_post = 'inner join ' ~ schema ~ '.int_touched_posts as touched on tested.post_id = touched.post_id' -%}
    {{- return({
        'all': '',
        'post': of_post,
        'snapshot': of_post ~ ' and tested.slot_start between touched.first_slot and touched.last_slot',
        'comparison': 'inner join ' ~ schema ~ '.int_compared_posts as touched'
            ~ ' on tested.post_id = touched.post_id and touched.is_compared and touched.is_touched',
        'quarter': 'inner join ' ~ schema ~ '.int_touched_quarters as touched'
            ~ ' on tested.account_id = touched.account_id and tested.quarter_hour = touched.quarter_hour',
        'landing': 'where not tested.is_archived and tested.load_id not in (select load_id from ' ~ recorded_loads ~ ')'
            if recorded_loads else '',
        'reading': 'inner join (select distinct arrived.platform_post_id from ' ~ relation ~ ' as arrived'
            ~ ' where not arrived.is_archived'
            ~ ' and arrived.load_id not in (select load_id from ' ~ recorded_loads ~ ')) as touched'
            ~ ' on tested.platform_post_id = touched.platform_post_id' if recorded_loads else '',
    }) -}}
{% endmacro %}

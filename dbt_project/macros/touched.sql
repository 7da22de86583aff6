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
            select {{ 'cast(touched.post_id as varchar)' if is_landed else 'touched.post_id' }}
            from {{ touched_posts }} as touched
        )
    {%- endif -%}
{%- endmacro %}

{#-
    What:   what a generic test reads: of a model with `meta.tested_by` the touched rows. Overrides dbt's own,
            which knows the `where` of a test alone.
-#}
{% macro get_where_subquery(relation) -%}
    {%- set conditions = [] -%}
    {%- if config.get('where') -%}
        {%- do conditions.append(config.get('where')) -%}
    {%- endif -%}
    {%- if execute and not tests_look_at_all() -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name == relation.identifier -%}
            {%- set kind = node.config.meta.get('tested_by') -%}
            {%- if kind -%}
                {%- do conditions.append(touched_rows(relation)[kind]) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if conditions -%}
        (select * from {{ relation }} as tested where {{ conditions | join(' and ') }}) as tested
    {%- else -%}
        {{ relation }}
    {%- endif -%}
{%- endmacro %}

{#- What: `meta.tested_by` -> the condition under which a row of the relation was touched by this build. -#}
{% macro touched_rows(relation) %}
    {%- set schema = generate_schema_name('intermediate', none) -%}
    {%- set recorded_loads = recorded('recorded_loads') -%}
    {{- return({
        'post': 'exists (select 1 from ' ~ schema ~ '.int_touched_posts as touched'
            ~ ' where touched.post_id = tested.post_id)',
        'comparison': 'exists (select 1 from ' ~ schema ~ '.int_touched_comparisons as touched'
            ~ ' where touched.post_id = tested.post_id)',
        'reading': 'tested.platform_post_id in (select arrived.platform_post_id from ' ~ relation ~ ' as arrived'
            ~ ' where not arrived.is_archived and arrived.load_id not in (select load_id from ' ~ recorded_loads ~ '))'
            if recorded_loads else '1 = 1',
    }) -}}
{% endmacro %}

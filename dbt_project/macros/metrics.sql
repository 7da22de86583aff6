{#-
    What:   the counters of the directive, in its order. Every list of metrics is one of these three.
-#}
{% macro counters() %}
    {{- return([
        'impressions', 'likes', 'comments', 'shares', 'clicks',
        'replies', 'retweets', 'quotes', 'bookmarks'
    ]) -}}
{% endmacro %}

{#- What: all that is summed over time: the counters and the two sums made of them. -#}
{% macro gained_metrics() %}
    {{- return(counters() + ['engagements', 'engagements_core']) -}}
{% endmacro %}

{#- What: what posts are compared by with earlier ones (METRICS.md 6). -#}
{% macro compared_metrics() %}
    {{- return(['impressions', 'engagements', 'engagement_rate', 'engagement_score']) -}}
{% endmacro %}

{#-
    What:   the ages, in hours, at which posts are compared (METRICS.md 6): a row of `age_hours` each.
    Usage:  ages as ( {{ comparison_ages() }} )
-#}
{% macro comparison_ages() -%}
    {%- for hours in [24, 72, 168] -%}
        select {{ hours }} as age_hours
        {%- if not loop.last %} union all {% endif -%}
    {%- endfor -%}
{%- endmacro %}

{#-
    What:   the age at which posts published in a window are compared (METRICS.md 3): a row of `window_name`
            and `age_hours` each. 24h is not offered: its posts are too young for any.
    Usage:  ages as ( {{ window_ages() }} )
-#}
{% macro window_ages() -%}
    {%- for window, hours in [('7d', 24), ('30d', 72), ('90d', 168)] -%}
        select '{{ window }}' as window_name, {{ hours }} as age_hours
        {%- if not loop.last %} union all {% endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- What: the columns of an increments mart that are added up: totals, the observed part, rate parts. -#}
{% macro increment_sums() %}
    {%- set sums = [] -%}
    {%- for quality in ['new', 'observed'] -%}
        {%- for metric in gained_metrics() -%}
            {%- do sums.append(quality ~ '_' ~ metric) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(sums + [
        'rated_impressions', 'rated_engagements',
        'observed_rated_impressions', 'observed_rated_engagements'
    ]) -}}
{% endmacro %}

{#- What: the measures that files of downloaded posts have. -#}
{% macro file_measures() %}
    {{- return([
        'impressions', 'likes', 'replies', 'retweets', 'clicks', 'bookmarks', 'platform_engagements'
    ]) -}}
{% endmacro %}

{#- What: the measures by which posting times are judged. -#}
{% macro timing_measures() %}
    {{- return(['impressions', 'engagement_score']) -}}
{% endmacro %}

{#-
    What:   the rounds in which evidence of posting times is dealt: name, first and last draw, and how many of the
            draws before may have done as well as the top cell. Most accounts show nothing, which a few draws tell: a
            round is only for the others. A recommendation takes all thousand.
-#}
{% macro timing_rounds() %}
    {{- return([
        ('first', 1, 20, none), ('second', 21, 100, 4), ('third', 101, 300, 12), ('last', 301, 1000, 24)
    ]) -}}
{% endmacro %}

{#-
    What:   a measure summed over the versions of a file's post: unknown where one of them does not tell it, or where
            the sum is above what lands for any counter (ingest/platforms/base.py), which no real post has.
    Types:  integers -> integer.
-#}
{% macro sum_of_versions(measure) -%}
    cast(
        case
            when count({{ measure }}) = count(*) and sum({{ measure }}) <= 2146435071 then sum({{ measure }})
        end as integer
    )
{%- endmacro %}

{#-
    What:   how far the mean of n posts lies above that of all posts of the account, in standard errors of a mean
            of n posts dealt at random (METRICS.md 7); NULL where these are all its posts, or all do the same.
    Types:  doubles and integers -> double.
    Usage:  {{ standard_errors('mean', 'n', 'accounts') }} as z
-#}
{% macro standard_errors(mean, n, accounts) -%}
    case
        when {{ n }} < {{ accounts }}.n
            then
                ({{ mean }} - {{ accounts }}.mean)
                / ({{ accounts }}.deviation * sqrt(1.0 / {{ n }} - 1.0 / {{ accounts }}.n))
    end
{%- endmacro %}

{#- What: whether a cell's posts, and its account's, are enough to be judged by (METRICS.md 7). -#}
{% macro is_enough_posts(cells, accounts) -%}
    {{ cells }}.n >= 3 and {{ accounts }}.n >= 20
{%- endmacro %}

{#-
    What:   numerator / denominator in ten-thousandths, rounded half away from zero, within
            -99999..99999; NULL where either is NULL or the denominator is 0 (METRICS.md 4).
    Types:  integers below 4.6e14 -> bigint. Integers alone: rounding a float half up is wrong now and then.
-#}
{% macro ten_thousandths(numerator, denominator) -%}
    {%- set n = 'cast(' ~ numerator ~ ' as bigint)' -%}
    {%- set d = 'cast(' ~ denominator ~ ' as bigint)' -%}
    case
        when {{ numerator }} is null or {{ denominator }} is null or {{ denominator }} = 0 then null
        when {{ integer_divide('abs(' ~ n ~ ') * 20000 + abs(' ~ d ~ ')', 'abs(' ~ d ~ ') * 2') }} > 99999
            then case when ({{ numerator }} < 0) = ({{ denominator }} < 0) then 99999 else -99999 end
        when ({{ numerator }} < 0) = ({{ denominator }} < 0)
            then {{ integer_divide('abs(' ~ n ~ ') * 20000 + abs(' ~ d ~ ')', 'abs(' ~ d ~ ') * 2') }}
        else -{{ integer_divide('abs(' ~ n ~ ') * 20000 + abs(' ~ d ~ ')', 'abs(' ~ d ~ ') * 2') }}
    end
{%- endmacro %}

{#-
    What:   numerator / denominator as DECIMAL(5,4), rounded as `ten_thousandths` does.
    Usage:  {{ rate('engagements', 'impressions') }} as engagement_rate
-#}
{% macro rate(numerator, denominator) -%}
    cast(
        cast({{ ten_thousandths(numerator, denominator) }} as decimal(9, 0)) * cast(0.0001 as decimal(5, 4))
        as decimal(5, 4)
    )
{%- endmacro %}

{#-
    What:   the engagement score of one row (directive 3.1): 10000 x weighted sum / impressions,
            0 to 1000, rounded half up to cents; NULL where impressions are NULL. A missing input
            counts as 0, impressions below 1 as 1.
    Types:  counters as integers; `weights` has columns weight_<counter> in hundredths (bigint).
    Usage:  {{ engagement_score('snapshots', 'weights') }} as engagement_score
-#}
{% macro engagement_score(metrics, weights) -%}
    cast(
        cast({{ score_hundredths(metrics, weights) }} as decimal(9, 0)) * cast(0.01 as decimal(3, 2))
        as decimal(8, 2)
    )
{%- endmacro %}

{#- What: the engagement score in hundredths, as a bigint. -#}
{% macro score_hundredths(metrics, weights) -%}
    {%- set terms = [] -%}
    {%- for counter in counters() if counter != 'impressions' -%}
        {%- do terms.append(
            'coalesce(' ~ metrics ~ '.' ~ counter ~ ', 0) * ' ~ weights ~ '.weight_' ~ counter
        ) -%}
    {%- endfor -%}
    {%- set total = '(' ~ terms | join(' + ') ~ ')' -%}
    {%- set impressions = metrics ~ '.impressions' -%}
    {%- set base = 'case when ' ~ impressions ~ ' < 1 then 1 else cast(' ~ impressions ~ ' as bigint) end' -%}
    case
        when {{ impressions }} is null then null
        when {{ total }} <= 0 then 0
        when {{ integer_divide(total ~ ' * 20000 + ' ~ base, '2 * ' ~ base) }} > 100000 then 100000
        else {{ integer_divide(total ~ ' * 20000 + ' ~ base, '2 * ' ~ base) }}
    end
{%- endmacro %}

{#-
    What:   mean of rates that are given as their sum in ten-thousandths and their count, as
            DECIMAL(5,4), rounded as `rate` does: exact, where a mean of floats depends on the order.
-#}
{% macro mean_rate(sum_of_ten_thousandths, number_of_rates) -%}
    {{ rate(sum_of_ten_thousandths, number_of_rates ~ ' * 10000') }}
{%- endmacro %}

{#-
    What:   how a count compares with the period before (METRICS.md 5): 'n/a', 'no change', 'new' or
            'change'. NULL in either, or less than 90 % of the due slots filled in either, is 'n/a';
            equal counts are 'no change' even at 0.
    Usage:  {{ change_state('now', 'before', [('filled', 'due'), ('filled_before', 'due_before')]) }}
-#}
{% macro change_state(current, previous, coverages) -%}
    case
        when {{ current }} is null or {{ previous }} is null then 'n/a'
        {%- for filled, due in coverages %}
        when {{ filled }} * 10 < {{ due }} * 9 then 'n/a'
        {%- endfor %}
        when {{ current }} = {{ previous }} then 'no change'
        when {{ previous }} = 0 then 'new'
        else 'change'
    end
{%- endmacro %}

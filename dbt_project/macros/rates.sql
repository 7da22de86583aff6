{#-
    What:   numerator / denominator in ten-thousandths, rounded half away from zero, within
            -99999..99999; NULL where either is NULL or the denominator is 0 (METRICS.md 4).
    Types:  integers below 4.6e14 -> bigint. Integers alone: rounding a float half up is wrong now and then.
-#}
{% macro ten_thousandths(numerator, denominator) -%}
    {%- set n = 'cast(' ~ numerator ~ ' as bigint)' -%}
    {%- set d = 'cast(' ~ denominator ~ ' as bigint)' -%}
    case
        when {{ numerator }} is not null and {{ denominator }} <> 0
            then
                least({{ integer_divide('abs(' ~ n ~ ') * 20000 + abs(' ~ d ~ ')', 'abs(' ~ d ~ ') * 2') }}, 99999)
                * case when ({{ numerator }} < 0) = ({{ denominator }} < 0) then 1 else -1 end
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
    {%- set total = terms | join(' + ') -%}
    {%- set base = 'cast(greatest(' ~ metrics ~ '.impressions, 1) as bigint)' -%}
    case
        when {{ metrics }}.impressions is not null
            then least({{ integer_divide('greatest(' ~ total ~ ', 0) * 20000 + ' ~ base, '2 * ' ~ base) }}, 100000)
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
            'change'. NULL in either, or less than 90 % of the due slots filled in either, is 'n/a',
            and so is unknown coverage (no slot was due); equal counts are 'no change' even at 0.
    Usage:  {{ change_state('now', 'before', [('filled', 'due'), ('filled_before', 'due_before')]) }}
-#}
{% macro change_state(current, previous, coverages) -%}
    case
        when {{ current }} is null or {{ previous }} is null then 'n/a'
        {%- for filled, due in coverages %}
        when {{ due }} = 0 or {{ filled }} * 10 < {{ due }} * 9 then 'n/a'
        {%- endfor %}
        when {{ current }} = {{ previous }} then 'no change'
        when {{ previous }} = 0 then 'new'
        else 'change'
    end
{%- endmacro %}

{#-
    What:   whether a counter rose by more than 1,000 % of a base above 0 (directive 5.2).
    Types:  integers -> boolean, NULL where either is.
    Usage:  {{ is_jump('new_likes', 'before_likes') }}
-#}
{% macro is_jump(change, base) -%}
    ({{ base }} > 0 and {{ change }} > 10 * cast({{ base }} as bigint))
{%- endmacro %}

{#-
    What:   a quotient of integers, rounded half away from zero; NULL where the divisor is NULL or 0.
    Types:  integers below 4e18, divisor above 0 -> bigint.
    Usage:  {{ rounded_quotient('total', 'number') }}
-#}
{% macro rounded_quotient(dividend, divisor) -%}
    case
        when {{ divisor }} = 0 then null
        when {{ dividend }} >= 0
            then {{ integer_divide('2 * (' ~ dividend ~ ') + (' ~ divisor ~ ')', '2 * (' ~ divisor ~ ')') }}
        else {{ integer_divide('2 * (' ~ dividend ~ ') - (' ~ divisor ~ ')', '2 * (' ~ divisor ~ ')') }}
    end
{%- endmacro %}

{#-
    What:   the value on the straight line between two values, rounded half away from zero; NULL where the
            first is, or where the second is and time has passed since the first.
    Types:  integers below 2**31 with times below 2**27 -> bigint.
    Usage:  {{ interpolate('likes', 'next_likes', 'elapsed', 'span') }} as likes
-#}
{% macro interpolate(first, second, elapsed, span) -%}
    {%- set exact = (
        'cast(' ~ first ~ ' as bigint) * (' ~ span ~ ' - ' ~ elapsed ~ ') + cast('
        ~ second ~ ' as bigint) * ' ~ elapsed
    ) -%}
    case
        when {{ elapsed }} = 0 then cast({{ first }} as bigint)
        else {{ rounded_quotient(exact, span) }}
    end
{%- endmacro %}

{#- What: a number of at most four decimals, below 1e14, in ten-thousandths as a bigint, exact. -#}
{% macro in_ten_thousandths(number) -%}
    cast(cast({{ number }} as decimal(18, 4)) * 10000 as bigint)
{%- endmacro %}

{#- What: a bigint in ten-thousandths as DECIMAL(18,4), exact. -#}
{% macro from_ten_thousandths(number) -%}
    cast(cast({{ number }} as decimal(18, 0)) * cast(0.0001 as decimal(5, 4)) as decimal(18, 4))
{%- endmacro %}

{#- What: ln((1 + value) / (1 + base)) in millionths, of values in ten-thousandths; as a bigint. -#}
{% macro log_millionths(value, base) -%}
    cast(round(ln((10000.0 + {{ value }}) / (10000.0 + {{ base }})) * 1000000) as bigint)
{%- endmacro %}

{#- What: a float in millionths as DECIMAL(9,4). Floats add up a little differently in each build: four digits do not. -#}
{% macro millionths(number) -%}
    cast(round(({{ number }}) / 1000000, 4) as decimal(9, 4))
{%- endmacro %}

with

cells as (

    select
        scores.account_id,
        live.platform,
        scores.timezone,
        scores.measure,
        scores.weekday,
        scores.hour,
        scores.n,
        scores.posts,
        scores.parent,
        scores.within_variance,
        scores.k,
        scores.mean,
        scores.place = 1 and scores.z is not null as is_top,
        bool_or(scores.is_enough) over (
            partition by scores.account_id, scores.timezone, scores.measure
        ) as is_enough,
        evidence.draws,
        evidence.larger_draws
    from {{ ref('int_timing_scores') }} as scores
    inner join {{ ref('int_accounts_live') }} as live on scores.account_id = live.account_id
    left join {{ ref('int_timing_evidence') }} as evidence
        on
            scores.account_id = evidence.account_id
            and scores.timezone = evidence.timezone
            and scores.measure = evidence.measure

),

-- The more a cell's posts scatter and the fewer they are, the nearer its mean is drawn to the account's.
-- What was observed is one of the draws that chance allows: it counts among them.
shrunk as (

    select
        *,
        case when k is null then parent else (n * mean + k * parent) / (n + k) end as shrunk_mean,
        case when k is null then sqrt(within_variance / posts) else sqrt(within_variance / (n + k)) end as error,
        case
            when not is_enough then 'too few posts'
            when draws = 1000 and larger_draws + 1 <= 0.05 * (draws + 1) then 'recommended'
            else 'no timing effect visible'
        end as verdict
    from cells

),

final as (

    select
        account_id,
        platform,
        timezone,
        measure,
        weekday,
        hour,
        cast(n as integer) as n,
        {{ millionths('mean') }} as mean_effect,
        {{ millionths('shrunk_mean') }} as shrunk_effect,
        {{ millionths('shrunk_mean - 1.281552 * error') }} as effect_low,
        {{ millionths('shrunk_mean + 1.281552 * error') }} as effect_high,
        is_top,
        is_top and verdict = 'recommended' as is_recommended,
        cast(posts as integer) as posts,
        draws,
        larger_draws,
        verdict
    from shrunk

)

select * from final

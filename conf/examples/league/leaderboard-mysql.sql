-- Coins won and lost in the finished matches of the last 30 days, per player. Each match counts once for either player;
-- a match without a second player counts for the first one only. Ties in the ranking go by uid.
SELECT uid, name, match_count, coin_amount,
       row_number() OVER (ORDER BY coin_amount DESC, match_count DESC, uid) AS position
FROM (
	SELECT u.uid, max(u.name) AS name, count(*) AS match_count, sum(s.coins) AS coin_amount
	FROM (
		SELECT player_1_uid AS uid,
		       bet_coin_amount * CASE WHEN player_1_win THEN 1 WHEN player_2_win THEN -1 ELSE 0 END AS coins
		FROM gamematch
		WHERE finished AND created > now() - INTERVAL 30 DAY
		UNION ALL
		SELECT player_2_uid,
		       bet_coin_amount * CASE WHEN player_1_win THEN -1 WHEN player_2_win THEN 1 ELSE 0 END
		FROM gamematch
		WHERE finished AND created > now() - INTERVAL 30 DAY
	) AS s
	JOIN users AS u ON u.uid = s.uid
	GROUP BY u.uid
) AS totals
